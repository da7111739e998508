"""edgedigits: train a digit CNN, export it, prove the export, read real pictures on the device.

    import edgedigits
    reader = edgedigits.load()
    print(reader.read("photo.jpg").text)

`load` works in the light install; `train`, `export` and `verify` need the [train-cpu] extra. `errors` has all errors.
"""

import importlib
from typing import TYPE_CHECKING, Any

from edgedigits_runtime import errors
from edgedigits_runtime.errors import EdgedigitsError

if TYPE_CHECKING:
    from edgedigits.exporting.export import export
    from edgedigits.importing.import_model import import_model
    from edgedigits.loading import load
    from edgedigits.training.train import train
    from edgedigits.verification.verify import verify
    from edgedigits_runtime.reading.reader import Reader
    from edgedigits_runtime.reading.results import Reading

__all__ = ["EdgedigitsError", "Reader", "Reading", "errors", "export", "import_model", "load", "train", "verify"]

# Imported on first use, so that `import edgedigits` takes no time.
_MODULES = {
    "Reader": "edgedigits_runtime.reading.reader",
    "Reading": "edgedigits_runtime.reading.results",
    "export": "edgedigits.exporting.export",
    "import_model": "edgedigits.importing.import_model",
    "load": "edgedigits.loading",
    "train": "edgedigits.training.train",
    "verify": "edgedigits.verification.verify",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'edgedigits' has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return list(__all__)
