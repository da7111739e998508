"""Options of engines, importable without an engine's library."""

from dataclasses import dataclass
from typing import Literal

Kernels = Literal["auto", "xnnpack", "builtin", "reference"]


@dataclass(frozen=True)
class Isolation:
    """Limits of an engine in a child process.

    Attributes:
        memory_bytes: on top of the memory of the engine's library.
        seconds: for up to 64 images.
        opening_seconds: to start, import the library and open the file; Keras alone takes ten.
    """

    memory_bytes: int = 1 << 30
    seconds: float = 20
    opening_seconds: float = 120


@dataclass(frozen=True)
class EngineOptions:
    """An engine's use of the device; the defaults are right for small networks (measurements: docs/engines.md).

    Attributes:
        threads: within one call of the library.
        workers: concurrent calls for an array with many images; None takes every core that the process may use.
        kernels: of LiteRT: "xnnpack", its own "builtin" or "reference" ones; "auto" is XNNPACK if it starts.
        cores: processor cores that this process is pinned to; empty leaves it to the system.
        isolation: run the engine in a child process within these limits; None runs it in this process.
        trusted_sha256: a .tflite file with this SHA-256 is opened without the checks for untrusted files.
    """

    threads: int = 1
    workers: int | None = None
    kernels: Kernels = "auto"
    cores: tuple[int, ...] = ()
    isolation: Isolation | None = None
    trusted_sha256: str | None = None
