"""Untrusted `.keras` files: members, sizes, classes with code, links to other files."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedigits.model_files import SHIPPED, shipped_names
from edgedigits_exporters.keras_classes import CLASSES, FUNCTIONS, LAYERS, REFUSED
from edgedigits_exporters.untrusted_keras import CONFIG_BYTES, check
from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactError, ArtifactUnsupported
from edgedigits_runtime.untrusted import limits
from tests.conftest import REPOSITORY
from tests.support.tiny_models import contract

WIDE = REPOSITORY / "tests" / "support" / "wide" / "wide.keras"


def members() -> dict[str, bytes]:
    with zipfile.ZipFile(SHIPPED / "pico.keras") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


MEMBERS = members()
CONFIG = json.loads(MEMBERS["config.json"])


def written(folder: Path, changes: dict[str, bytes | None], compression: int = zipfile.ZIP_STORED) -> Path:
    path = folder / "x.keras"
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in {**MEMBERS, **changes}.items():
            if content is not None:
                archive.writestr(name, content)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(ArtifactError) as caught:
        check(path)
    message = str(caught.value)
    assert "\n" not in message and len(message) < 500
    return message


def reconfigured(folder: Path, change: Callable[[Any], None]) -> Path:
    config = json.loads(MEMBERS["config.json"])
    change(config)
    return written(folder, {"config.json": json.dumps(config).encode()})


@pytest.mark.parametrize("path", [*(SHIPPED / f"{name}.keras" for name in shipped_names()), WIDE], ids=lambda p: p.name)
def test_files_of_keras_pass(path: Path) -> None:
    check(path)


def layer(config: Any) -> Any:
    return config["config"]["layers"][1]


def replace_layer(**fields: Any) -> Callable[[Any], None]:
    return lambda config: layer(config).update(fields)


def nested(value: Any) -> Callable[[Any], None]:
    return lambda config: layer(config)["config"].update(kernel_initializer=value)


LAMBDA = {"class_name": "__lambda__", "config": {"value": ["4wEAAAAA", None, None]}}

CODE: dict[str, Callable[[Any], None]] = {
    "a Lambda layer": replace_layer(class_name="Lambda", config={"function": LAMBDA}),
    "a lambda in a layer": nested(LAMBDA),
    "a function": nested({"module": "os", "class_name": "function", "config": "system", "registered_name": "system"}),
    "another module": replace_layer(module="os.path", class_name="Dense"),
    "another module's function": nested({"module": "subprocess", "class_name": "Popen", "config": {"args": ["id"]}}),
    "Keras's own settings": replace_layer(module="keras.config", class_name="enable_unsafe_deserialization", config={}),
    "a saved model": replace_layer(class_name="TFSMLayer", config={"filepath": "/tmp/x"}),
    "a Torch module": replace_layer(class_name="TorchModuleWrapper", config={}),
    "a vocabulary from a file": replace_layer(class_name="StringLookup", config={"vocabulary": "/etc/passwd"}),
    "a registered class": replace_layer(registered_name="mine>Dense"),
    "a class that is no text": replace_layer(class_name=["Dense"]),
    "without a module": lambda config: [replace_layer(class_name="Lambda")(config), layer(config).pop("module")],
    "a compiled part": lambda config: layer(config).update(compile_config={"loss": {"class_name": "x", "module": "y"}}),
}


FILES = {"a saved model", "a vocabulary from a file"}


@pytest.mark.parametrize("name", ["Lambda", "TFSMLayer", "JaxLayer", "StringLookup", "Layer", "WhileLoop"])
def test_a_refused_class_is_named_with_its_layer_and_the_remedy(name: str, tmp_path: Path) -> None:
    message = refusal(reconfigured(tmp_path, replace_layer(class_name=name, config={"name": "my_layer"})))
    for fact in ("x.keras", "'my_layer'", name, REFUSED[name]):
        assert fact in message


def test_a_custom_class_is_named_with_its_layer(tmp_path: Path) -> None:
    change = replace_layer(registered_name="mine>Attention", module=None, config={"name": "my_layer"})
    message = refusal(reconfigured(tmp_path, change))
    assert "'my_layer'" in message and "'mine>Attention'" in message


@pytest.mark.parametrize("module", FUNCTIONS)
def test_activations_of_keras_pass(module: str, tmp_path: Path) -> None:
    def function(name: str) -> Any:
        return {"module": module, "class_name": "function", "config": name, "registered_name": "function"}

    check(reconfigured(tmp_path, nested(function("gelu"))))
    assert "code" in refusal(reconfigured(tmp_path, nested(function("get_file"))))


@pytest.mark.parametrize("case", CODE)
def test_classes_that_may_contain_code_are_refused(case: str, tmp_path: Path) -> None:
    assert "code" in refusal(reconfigured(tmp_path, CODE[case])) or case in FILES


def test_files_of_the_first_keras_3_versions_pass(tmp_path: Path) -> None:
    check(reconfigured(tmp_path, lambda config: layer(config).pop("module")))
    check(reconfigured(tmp_path, lambda config: config.update(compile_config={"class_name": "anything"})))


def test_large_and_negative_sizes_are_refused(tmp_path: Path) -> None:
    for name, value in (("filters", 10**9), ("kernel_size", [3, 10**6]), ("strides", [[-5]]), ("units", 1e300)):
        path = reconfigured(
            tmp_path, lambda config, name=name, value=value: layer(config)["config"].update({name: value})
        )
        assert f"has {name}" in refusal(path)


TOO_LARGE: tuple[dict[str, Any], ...] = (
    {"height": 65_000, "width": 65_000},
    {"num_heads": 60_000, "key_dim": 60_000},
    {"input_dim": 60_000, "output_dim": 60_000},
    {"size": [60_000, 60_000]},
    {"batch_shape": [None, 60_000, 60_000, 3]},
    {"filters": 60_000, "kernel_size": [500, 500]},
    {"padding": [[30_000, 30_000], [30_000, 30_000]]},
)
FITTING: tuple[dict[str, Any], ...] = (
    {"height": 224, "width": 224},
    {"num_heads": 16, "key_dim": 64, "value_dim": 64},
    {"input_dim": 50_000, "output_dim": 768},
    {"filters": 2048, "kernel_size": [3, 3], "strides": [2, 2], "padding": "same"},
    {"padding": [[200, 200], [200, 200]]},
    {"cropping": [[500, 500], [500, 500]]},
    {"pool_size": [224, 224], "strides": [1, 1]},
    {"k": -3},
)


def test_sizes_that_make_gigabytes_together_are_refused(tmp_path: Path) -> None:
    def with_sizes(sizes: dict[str, Any]) -> Path:
        return reconfigured(tmp_path, replace_layer(config={"name": "sized", **sizes}))

    for sizes in TOO_LARGE:
        assert all(name in refusal(with_sizes(sizes)) for name in sizes)
    for sizes in FITTING:
        check(with_sizes(sizes))


@pytest.mark.parametrize(
    "name", ["../config.json", "/etc/passwd", "assets/vocabulary.txt", "..\\x", "model.weights.npz"]
)
def test_other_members_are_refused(name: str, tmp_path: Path) -> None:
    assert repr(name) in refusal(written(tmp_path, {name: b"x"}))


def test_missing_and_duplicate_members_are_refused(tmp_path: Path) -> None:
    assert "config.json" in refusal(written(tmp_path, {"config.json": None}))
    assert "model.weights.h5" in refusal(written(tmp_path, {"model.weights.h5": None}))
    path = written(tmp_path, {})
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("config.json", "{}")
    assert "twice" in refusal(path)


def test_a_zip_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("model.weights.h5", "w") as member:
            for _ in range(limits.MODEL_BYTES // (1 << 20) + 1):
                member.write(bytes(1 << 20))
        archive.writestr("config.json", MEMBERS["config.json"])
    assert path.stat().st_size < 1 << 20
    assert f"{limits.MODEL_BYTES:,}" in refusal(path)
    assert f"{CONFIG_BYTES:,}" in refusal(written(tmp_path, {"config.json": b" " * (17 << 20)}, zipfile.ZIP_DEFLATED))


def test_deep_and_invalid_configs_are_refused(tmp_path: Path) -> None:
    refusal(written(tmp_path, {"config.json": b"[" * 200_000 + b"]" * 200_000}))
    assert "config.json" in refusal(written(tmp_path, {"config.json": b"[]"}))
    refusal(written(tmp_path, {"config.json": b"\xff"}))


def hdf5(write: Callable[[Any], None]) -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w") as archive:
        write(archive)
    return file.getvalue()


def virtual(file: Any) -> None:
    layout = h5py.VirtualLayout(shape=(4,), dtype="f4")
    layout[:] = h5py.VirtualSource("/etc/other.h5", "x", shape=(4,))
    file.create_virtual_dataset("v", layout)


WEIGHTS: dict[str, tuple[Callable[[Any], None], str]] = {
    "external link": (
        lambda file: file.__setitem__("a", h5py.ExternalLink("/etc/passwd", "/x")),
        "link",
    ),
    "soft link": (lambda file: file.__setitem__("a", h5py.SoftLink("/b")), "link"),
    "external data": (
        lambda file: file.create_dataset("a", (10,), "u1", external=[("/etc/passwd", 0, 10)]),
        "'/a'",
    ),
    "virtual": (virtual, "'/v'"),
    "bomb": (
        lambda file: file.create_dataset("a", (1 << 30,), "f4", chunks=(1 << 20,), compression="gzip"),
        "4,294,967,296",
    ),
    "circle": (lambda file: file.create_group("g").__setitem__("back", file["/"]), "10,000"),
}


@pytest.mark.parametrize("case", WEIGHTS)
def test_weights_in_other_files_and_too_large_weights_are_refused(case: str, tmp_path: Path) -> None:
    write, fact = WEIGHTS[case]
    assert fact in refusal(written(tmp_path, {"model.weights.h5": hdf5(write)}))


def test_a_size_that_overflows_a_machine_word_is_refused(tmp_path: Path) -> None:
    """h5py raises OverflowError; found by tests.torture.models."""
    content = bytearray(hdf5(lambda file: file.create_dataset("a", (7654321,), "f4", chunks=(1,))))
    size = (7654321).to_bytes(8, "little")
    while (place := content.find(size)) >= 0:
        content[place : place + 8] = b"\xff" * 7 + b"\x7f"
    refusal(written(tmp_path, {"model.weights.h5": bytes(content)}))


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    assert "model.weights.h5" in refusal(written(tmp_path, {"model.weights.h5": b"no hdf5"}))


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.keras"
    for content in (b"", b"no zip", (SHIPPED / "pico.keras").read_bytes()[:-30]):
        path.write_bytes(content)
        with pytest.raises(ArtifactCorrupt, match=r"x\.keras"):
            check(path)
    with path.open("wb") as file:
        file.truncate(limits.MODEL_BYTES + 1)
    with pytest.raises(ArtifactUnsupported, match=f"{limits.MODEL_BYTES:,}"):
        check(path)


WHOLE = (SHIPPED / "pico.keras").read_bytes()


@given(data=st.data())
def test_damaged_bytes_are_refused_or_pass(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    content = bytearray(WHOLE)
    places = st.integers(0, len(content) - 1) | st.integers(len(content) - 400, len(content) - 1)
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=6)):
        content[place] = value
    path = tmp_path_factory.getbasetemp() / "damaged.keras"
    path.write_bytes(content)
    try:
        check(path)
    except ArtifactError as error:
        assert "\n" not in str(error)


def test_no_allowed_class_runs_code_or_reads_files() -> None:
    allowed = set().union(*CLASSES.values())
    assert allowed.isdisjoint(REFUSED)
    assert allowed.isdisjoint({"function", "Function", "Operation", "Vectorize"})
    assert all(module == "keras" or module.startswith("keras.") for module in CLASSES)


@pytest.mark.slow
def test_every_layer_of_the_installed_keras_is_allowed_or_refused_with_a_reason() -> None:
    import keras

    public = {name: value for name, value in vars(keras.layers).items() if isinstance(value, type)}
    known = LAYERS | REFUSED.keys()
    assert [name for name, layer in public.items() if name not in known and layer.__name__ not in known] == []
    assert [name for name in LAYERS if name not in public and name != "GroupedQueryAttention"] == []
    for module in ("initializers", "regularizers", "constraints", "dtype_policies", "quantizers"):
        assert [name for name in CLASSES[f"keras.{module}"] if not hasattr(getattr(keras, module), name)] == []
    for names in FUNCTIONS.values():
        assert [name for name in names if not hasattr(keras.activations, name)] == []


@pytest.mark.slow
@pytest.mark.parametrize("module", [module for module in CLASSES if module.startswith("keras.src.ops.")])
def test_every_operation_of_the_installed_keras_is_allowed_or_refused_with_a_reason(module: str) -> None:
    import importlib

    import keras

    found = {
        name
        for name, value in vars(importlib.import_module(module)).items()
        if isinstance(value, type) and issubclass(value, keras.Operation) and value.__module__ == module
    }
    assert found - REFUSED.keys() == CLASSES[module]


@pytest.mark.slow
def test_layers_of_keras_load_as_they_were_saved(tmp_path: Path) -> None:
    import keras

    from edgedigits_exporters.keras_file import load_bare

    layers = keras.layers
    image = keras.Input((16, 16, 3), name="image")
    pixels = layers.RandomHue(0.1)(layers.RandomCrop(16, 16)(layers.Resizing(16, 16)(image)))
    pixels = layers.SpectralNormalization(layers.Conv2DTranspose(4, 3, activation=keras.activations.silu))(pixels)
    pixels = layers.UpSampling2D(2)(layers.Activation(keras.ops.gelu)(pixels))[:, ::2] * 2.0
    cells = layers.StackedRNNCells([layers.LSTMCell(4), layers.GRUCell(4)])
    rows = layers.RNN(cells, return_sequences=True)(layers.Reshape((-1, 12))(pixels))
    attention = layers.MultiHeadAttention(1, 4, dtype="mixed_float16")
    rows = layers.GroupQueryAttention(4, 2, 1)(rows, rows) + layers.Rescaling(1.0)(attention(rows, rows))
    classes = layers.EinsumDense("ab,bc->ac", output_shape=5, activation="softmax")(keras.ops.mean(rows, axis=1))
    model = keras.Model({"image": image}, [classes])
    model.save(tmp_path / "many.keras")
    loaded = load_bare(tmp_path / "many.keras")
    assert {layer.compute_dtype for layer in loaded.layers} == {"float32"}
    pictures = keras.random.uniform((2, 16, 16, 3))
    given, wanted = loaded(pictures, training=False), model({"image": pictures}, training=False)
    assert given.shape == (2, 5)
    assert float(keras.ops.max(keras.ops.abs(given - wanted))) < 1e-2


@pytest.mark.slow
def test_loading_refuses_a_lambda_layer(tmp_path: Path) -> None:
    import keras

    from edgedigits_exporters.keras_file import load_model

    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Lambda(lambda x: x * 2)])
    path = tmp_path / "code.keras"
    model.save(path)
    with pytest.raises(ArtifactUnsupported, match=r"'lambda\w*'.*Lambda"):
        load_model(path, contract())
