"""What an engine puts into the page."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from edgedigits_runtime.golden import Vectors


@dataclass(frozen=True)
class EngineParts:
    """What runs the network, and how it is known to be right.

    Args:
        data: content by the id under which page/engines/*.js looks for it.
        golden: what the network answered where it was made.
        kernels: of LiteRT, whose rounding it has; None where it is not LiteRT's.
        scripts: modules without imports that run before the page's own.
    """

    data: Mapping[str, bytes]
    golden: Vectors
    kernels: str | None = None
    scripts: list[str] = field(default_factory=list)
