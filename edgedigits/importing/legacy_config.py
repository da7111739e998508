"""Reduce a Keras 2 config to the layers that compute: without what only training needs, and with one way to write each.

It stays a config of Keras 2, of which tf-keras builds the original network.
"""

from typing import Any

from edgedigits_exporters.keras_classes import MODELS
from edgedigits_runtime.errors import ArtifactUnsupported

TRAINING_ONLY = ("_initializer", "_regularizer", "_constraint")
"""Ends of the names of arguments that a trained network does not need; their classes and arguments vary by version."""

KEPT = ("name", "inbound_nodes")
"""What a layer has beside its class and its arguments."""

POLICIES = frozenset({"DTypePolicy", "FloatDTypePolicy", "Policy", "PolicyV1"})

KERAS_1 = frozenset({"border_mode", "nb_filter", "nb_row", "output_dim", "subsample"})
"""Arguments that only Keras 1 had, but for the output_dim of an Embedding."""

OLD_NAMES = {"BatchNormalizationV1": "BatchNormalization", "BatchNormalizationV2": "BatchNormalization"}


def clean(config: dict[str, Any]) -> dict[str, Any]:
    """Return the config of a model as {"class_name", "config"}, with a name for each model in it.

    Raises:
        ArtifactUnsupported: Keras 1 wrote it.
    """
    return _Cleaning().object({key: config[key] for key in ("class_name", "config")})


class _Cleaning:
    def __init__(self) -> None:
        self.unnamed = 0

    def object(self, value: dict[str, Any]) -> dict[str, Any]:
        """Clean a layer or a model."""
        kept = {key: self.value(value[key]) for key in KEPT if key in value}
        name, config = OLD_NAMES.get(value["class_name"], value["class_name"]), value["config"]
        if name in MODELS:
            # Keras 2.0 wrote a Sequential as a list of its layers.
            config = {"layers": config} if isinstance(config, list) else config
            if not config.get("name"):
                self.unnamed += 1
                config = {**config, "name": kept.get("name") or f"model_{self.unnamed}"}
        elif name != "Embedding" and (old := KERAS_1.intersection(config)):
            raise ArtifactUnsupported(
                f"expected a file of Keras 2 or 3, found the argument {min(old)!r} of Keras 1; load it with Keras 2.0"
                " to 2.3 and save it again"
            )
        return {"class_name": name, "config": self.value(config), **kept}

    def value(self, value: Any) -> Any:
        """Clean an argument."""
        if isinstance(value, list):
            return [self.value(part) for part in value]
        if not isinstance(value, dict):
            return value
        name = value.get("class_name")
        if name == "__tuple__":
            return self.value(value["items"])
        if name in POLICIES:
            return value["config"]["name"]
        # The first `.keras` files have Keras's own functions as objects.
        if name == "function" and value.get("module") == "builtins":
            return value["config"]
        if name is not None and "config" in value:
            return self.object(value)
        return {key: self.value(part) for key, part in value.items() if not key.endswith(TRAINING_ONLY)}
