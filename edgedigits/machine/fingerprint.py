"""The constant description of a machine: board, processor, software, and the layers between them.

Serial numbers and host names are never read, since results are published.
"""

import contextlib
import os
import platform
import struct
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

from edgedigits.machine.environment import DMI, Environment, find_environment
from edgedigits.machine.processor import Processor, architecture, find_processor, read_cpuinfo
from edgedigits.machine.tree import REAL, Tree
from edgedigits_runtime.engines.engine import EngineReport
from edgedigits_runtime.machine import core_count, installed_version

LIBRARIES = (
    "edgedigits", "numpy", "pillow", "ai-edge-litert", "onnxruntime", "onnxruntime-gpu", "openvino", "keras",
    "tensorflow", "tensorflow-cpu", "scikit-learn",
)  # fmt: skip

SHORT_LIBRARIES = ("numpy", "ai-edge-litert", "onnxruntime", "keras", "tensorflow-cpu", "tensorflow", "tf2onnx")

PLACEHOLDERS = frozenset({
    "", "default string", "empty", "invalid", "n/a", "none", "not applicable", "not available", "not specified",
    "o.e.m.", "oem", "product name", "system manufacturer", "system product name", "system version",
    "to be filled by o.e.m.", "unknown",
})  # fmt: skip
"""Values that makers leave in their firmware's fields."""


@dataclass(frozen=True)
class Software:
    """The software that a result depends on."""

    system: str  # Kernel and release, "Linux 6.6.31+rpt-rpi-v8".
    distribution: str | None  # "Debian GNU/Linux 12 (bookworm)".
    libc: str | None  # "glibc 2.36" or "musl"; None for others.
    python: str  # Implementation, version and width, "CPython 3.11.2, 64 bit".
    libraries: Mapping[str, str]  # Versions of those that are installed.
    engines: Mapping[str, Mapping[str, object]] = field(default_factory=dict)  # Version and providers.


@dataclass(frozen=True)
class Fingerprint:
    """The constant description of a machine; `skipped` lists files that could not be read, each with the reason."""

    board: str | None
    processor: Processor
    software: Software
    environment: Environment
    skipped: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def fingerprint(
    root: Path = REAL,
    system: Any = psutil,
    *,
    machine: str | None = None,
    engines: Mapping[str, EngineReport] | None = None,
) -> Fingerprint:
    """Describe the machine.

    Args:
        root: beneath which the kernel's files lie.
        system: psutil, or a stand-in for a recorded machine.
        machine: the architecture that the system names; that of the platform or /proc/cpuinfo if None.
        engines: from edgedigits_runtime.engines.probe_engines.
    """
    tree = Tree(root)
    if machine is None:
        machine = platform.machine() if root == REAL else architecture(read_cpuinfo(tree))
    environment = find_environment(tree, machine)
    return Fingerprint(
        board=board_name(tree),
        processor=find_processor(tree, system, machine, environment.emulator is not None),
        software=find_software(tree, engines or {}),
        environment=environment,
        skipped=tree.skipped,
    )


def describe_machine() -> dict[str, object]:
    """Return this machine's processor, cores, system, Python and library versions: the short form for results."""
    tree = Tree()
    found = find_processor(tree, psutil, platform.machine(), emulated=False)
    return {
        "processor": found.model or "unknown",
        "cores": core_count(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "libraries": _versions(SHORT_LIBRARIES),
    }


def board_name(tree: Tree) -> str | None:
    """Return the board's model, from its device tree or else its firmware's DMI; None where neither names one."""
    for path in ("proc/device-tree/model", "sys/firmware/devicetree/base/model"):
        if model := _clean(tree.text(path)):
            return model
    fields = (tree.text(f"{DMI}/{name}") for name in ("sys_vendor", "product_name", "product_version", "board_name"))
    return name_of_dmi(*fields)


def name_of_dmi(vendor: str | None, product: str | None, version: str | None, board: str | None) -> str | None:
    """Join the fields of /sys/class/dmi/id into one name: "LENOVO 20XW0026GE (ThinkPad X1 Carbon Gen 9)"."""
    maker, name = _clean(vendor), _clean(product) or _clean(board)
    if name is None:
        return None
    # HP and others repeat the maker in the product.
    whole = name if maker is None or name.lower().startswith(maker.lower()) else f"{maker} {name}"
    release = _clean(version)
    # Lenovo writes the common name in the version; others write "1.0" or a code there.
    return f"{whole} ({release})" if release and " " in release and release not in whole else whole


def _clean(text: str | None) -> str | None:
    kept = " ".join("".join(char if char.isprintable() else " " for char in text or "").split())
    return None if kept.lower() in PLACEHOLDERS else kept


def find_software(tree: Tree, engines: Mapping[str, EngineReport]) -> Software:
    """Describe the software; of a recorded machine only kernel and distribution are its own."""
    release, real = tree.text("proc/sys/kernel/osrelease"), tree.root == REAL
    here = f"{platform.system()} {platform.release()}" if real else "unknown"
    return Software(
        system=f"Linux {release}" if release else here,
        distribution=pretty_name(tree.text("etc/os-release") or tree.text("usr/lib/os-release") or ""),
        libc=_libc(tree),
        python=f"{platform.python_implementation()} {platform.python_version()}, {struct.calcsize('P') * 8} bit",
        libraries=_versions(LIBRARIES),
        engines={name: {"version": one.version, "providers": one.providers} for name, one in engines.items()},
    )


def _versions(names: tuple[str, ...]) -> dict[str, str]:
    return {name: version for name in names if (version := installed_version(name))}


def pretty_name(text: str) -> str | None:
    """Return PRETTY_NAME of /etc/os-release (os-release(5))."""
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "PRETTY_NAME":
            return value.strip().strip("\"'") or None
    return None


def _libc(tree: Tree) -> str | None:
    if tree.root == REAL and sys.platform == "linux":
        with contextlib.suppress(ValueError, OSError):
            if named := os.confstr("CS_GNU_LIBC_VERSION"):
                return named
    return "musl" if tree.paths("lib/ld-musl-*.so.1") else None
