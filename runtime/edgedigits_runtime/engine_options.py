"""How a device is used: options that the command line can make without loading what an engine needs."""

from dataclasses import dataclass
from typing import Literal

Kernels = Literal["auto", "xnnpack", "builtin", "reference"]


@dataclass(frozen=True)
class EngineOptions:
    """How a device is used; the defaults are right for small networks (docs/engines.md has the measurements).

    Attributes:
        threads: within one call of the library.
        workers: calls at a time where an array holds many images; None takes every core that the process may use.
        kernels: of LiteRT: "xnnpack", its own "builtin" or "reference" ones; "auto" is XNNPACK where it starts.
        cores: numbers of the processor cores that this process is kept on; empty leaves it to the system.
    """

    threads: int = 1
    workers: int | None = None
    kernels: Kernels = "auto"
    cores: tuple[int, ...] = ()
