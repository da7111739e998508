"""How a device is used: options that the command line can make without loading what an engine needs."""

from dataclasses import dataclass
from typing import Literal

Kernels = Literal["auto", "xnnpack", "builtin", "reference"]


@dataclass(frozen=True)
class Isolation:
    """Limits of an engine in a process of its own.

    Attributes:
        memory_bytes: beyond what the engine's library takes for itself.
        seconds: for up to 64 images.
        opening_seconds: to start, import the library and open the file; Keras alone takes ten.
    """

    memory_bytes: int = 1 << 30
    seconds: float = 20
    opening_seconds: float = 120


@dataclass(frozen=True)
class EngineOptions:
    """How a device is used; the defaults are right for small networks (docs/engines.md has the measurements).

    Attributes:
        threads: within one call of the library.
        workers: calls at a time where an array holds many images; None takes every core that the process may use.
        kernels: of LiteRT: "xnnpack", its own "builtin" or "reference" ones; "auto" is XNNPACK where it starts.
        cores: numbers of the processor cores that this process is kept on; empty leaves it to the system.
        isolation: run the engine in a process of its own, within these limits; None runs it in this one.
    """

    threads: int = 1
    workers: int | None = None
    kernels: Kernels = "auto"
    cores: tuple[int, ...] = ()
    isolation: Isolation | None = None
