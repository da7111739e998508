"""Versions of the compilers and emulators that figures depend on."""

import shutil
import subprocess

from benchmarks.emulated_cores.cores import CORES
from edgedigits_runtime.engines.compiled_c import find_compiler


def tool_versions() -> dict[str, str]:
    """Return the version of each Debian package that emulated cores need, and of the host's compiler."""
    packages = sorted({need.package for core in CORES.values() for need in core.needs})
    versions = {}
    if shutil.which("dpkg-query"):
        # It lists installed packages, and reports the others as errors.
        listed = _output(["dpkg-query", "--show", "--showformat=${Package} ${Version}\n", *packages])
        versions = dict(line.split() for line in listed.splitlines() if len(line.split()) == 2)
    compiler = find_compiler()
    return {**versions, "host": _output([compiler, "--version"]).splitlines()[0] if compiler else "no compiler"}


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout
