"""Import Keras without its messages, and select its device."""

import contextlib
import importlib
import importlib.util
import os
import sys
from typing import Any, Literal

from edgedigits_runtime.errors import DeviceUnavailable, MissingExtra
from edgedigits_runtime.native_messages import silenced

Device = Literal["auto", "cpu", "gpu"]


def require_keras() -> None:
    """Raise MissingExtra if Keras or TensorFlow is not installed; neither is imported, which takes seconds."""
    if any(importlib.util.find_spec(package) is None for package in ("keras", "tensorflow")):
        raise MissingExtra("this", "train-cpu")


def load_keras() -> Any:
    """Import and return keras, with the backend of KERAS_BACKEND (default: tensorflow), or raise MissingExtra."""
    if "keras" in sys.modules:
        return sys.modules["keras"]
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        # TensorFlow prints its processor features when it is imported and when it first computes.
        with silenced():
            keras = importlib.import_module("keras")
            keras.ops.zeros(1)
            return keras
    except ImportError as error:
        raise MissingExtra("this", "train-cpu") from error


def device_scope(device: Device) -> contextlib.AbstractContextManager[Any]:
    """Return a context in which Keras computes on `device`; raise DeviceUnavailable if it is missing."""
    keras = load_keras()
    if device == "auto":
        return contextlib.nullcontext()
    if device == "gpu" and not keras.distribution.list_devices("gpu"):
        raise DeviceUnavailable(
            f"the {keras.backend.backend()} backend finds no GPU; install edgedigits[train-gpu] and NVIDIA's driver,"
            " or use --device cpu"
        )
    scope: contextlib.AbstractContextManager[Any] = keras.device(f"{device}:0")
    return scope
