"""The software that a result depends on: kernel, libc, Python, engines and libraries."""

import os
import platform
import struct
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from edgedigits.benchmarking.fingerprint.tree import REAL, Tree
from edgedigits_runtime.engines.engine import EngineReport
from edgedigits_runtime.machine import installed_version

LIBRARIES = (
    "edgedigits",
    "numpy",
    "pillow",
    "ai-edge-litert",
    "onnxruntime",
    "onnxruntime-gpu",
    "openvino",
    "keras",
    "tensorflow",
    "tensorflow-cpu",
    "scikit-learn",
)


@dataclass(frozen=True)
class Software:
    """What runs on the machine.

    Attributes:
        system: kernel and its release, "Linux 6.6.31+rpt-rpi-v8".
        distribution: "Debian GNU/Linux 12 (bookworm)"; None where none is named.
        libc: "glibc 2.36" or "musl"; None where there is another, or none.
        python: implementation, version and width, "CPython 3.11.2, 64 bit".
        libraries: versions of those that are installed.
        engines: version and providers of each engine that was asked; empty where none was.
    """

    system: str
    distribution: str | None
    libc: str | None
    python: str
    libraries: Mapping[str, str]
    engines: Mapping[str, EngineReport] = field(default_factory=dict)

    def to_dict(self) -> dict[str, object]:
        return {
            "system": self.system,
            "distribution": self.distribution,
            "libc": self.libc,
            "python": self.python,
            "libraries": dict(self.libraries),
            "engines": {
                name: {"version": report.version, "providers": list(report.providers)}
                for name, report in self.engines.items()
            },
        }


def find_software(tree: Tree, engines: Mapping[str, EngineReport]) -> Software:
    """Look at the software; of a recorded tree its kernel and distribution, and else that of this process."""
    return Software(
        system=_system(tree),
        distribution=pretty_name(tree.text("etc/os-release") or tree.text("usr/lib/os-release") or ""),
        libc=_libc(tree),
        python=f"{platform.python_implementation()} {platform.python_version()}, {struct.calcsize('P') * 8} bit",
        libraries={name: version for name in LIBRARIES if (version := installed_version(name))},
        engines=dict(engines),
    )


def _system(tree: Tree) -> str:
    if release := tree.text("proc/sys/kernel/osrelease"):
        return f"Linux {release}"
    return f"{platform.system()} {platform.release()}" if tree.root == REAL else "unknown"


def pretty_name(text: str) -> str | None:
    """Return PRETTY_NAME of /etc/os-release (os-release(5))."""
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "PRETTY_NAME":
            return value.strip().strip("\"'") or None
    return None


def _libc(tree: Tree) -> str | None:
    if tree.root == REAL and sys.platform == "linux":
        try:
            named = os.confstr("CS_GNU_LIBC_VERSION")
        except (ValueError, OSError):
            named = None
        if named:
            return named
    if tree.paths("lib/ld-musl-*.so.1"):
        return "musl"
    return None
