"""Devices of ONNX Runtime by the names that users type, and their execution providers."""

from collections.abc import Sequence
from dataclasses import dataclass

from edgedigits_runtime.errors import DeviceUnavailable, UnknownName

CPU = "CPUExecutionProvider"

PROVIDERS = {
    "cpu": CPU,
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "xnnpack": "XnnpackExecutionProvider",
}

REMOTE = "AzureExecutionProvider"
"""It calls a server instead of running anything here."""

NUMBERED = ("cuda", "tensorrt", "directml")

PREFERRED = ("cuda", "cpu")
"""Devices for "auto", the fastest first. The others start slowly or are no faster on networks of this size."""


@dataclass(frozen=True)
class Device:
    """A device: a key of PROVIDERS, and a number where a machine may have several."""

    kind: str
    number: int = 0

    @property
    def provider(self) -> str:
        return PROVIDERS[self.kind]

    @property
    def name(self) -> str:
        """The name that users type and readings contain."""
        return f"{self.kind}:{self.number}" if self.kind in NUMBERED else self.kind


def parse_device(text: str) -> Device:
    """Parse a device such as "cuda" or "cuda:1"; raise UnknownName for any other text."""
    kind, colon, number = text.partition(":")
    if kind not in PROVIDERS or (colon and (kind not in NUMBERED or not number.isascii() or not number.isdigit())):
        raise UnknownName("device", text, ["auto", *PROVIDERS, "cuda:1"])
    return Device(kind, int(number) if colon else 0)


def candidates(wanted: str, built: Sequence[str]) -> list[Device]:
    """Return the devices to try, in order; `built` are the providers that the installed wheel was built with.

    Raises:
        UnknownName, DeviceUnavailable: no such device, or the wheel was built without it.
    """
    if wanted == "auto":
        return [Device(kind) for kind in PREFERRED if PROVIDERS[kind] in built]
    device = parse_device(wanted)
    if device.provider not in built:
        names = ", ".join(kind for kind, provider in PROVIDERS.items() if provider in built)
        raise DeviceUnavailable(f"the installed ONNX Runtime was built without {device.kind}; it has {names}")
    return [device]
