"""The compilers and emulators that a figure was made with."""

import shutil
import subprocess

from benchmarks.emulated_cores import BOARDS
from edgedigits_runtime.engines.compiled_c import find_compiler


def tool_versions() -> dict[str, str]:
    """Return the version of each Debian package that the boards need, and of the host's compiler."""
    packages = sorted({need.package for board in BOARDS.values() for need in board.needs})
    versions = {}
    if shutil.which("dpkg-query"):
        # It lists what it knows, and complains of the others.
        listed = _output(["dpkg-query", "--show", "--showformat=${Package} ${Version}\n", *packages])
        versions = dict(line.split() for line in listed.splitlines() if len(line.split()) == 2)
    compiler = find_compiler()
    return {**versions, "host": _output([compiler, "--version"]).splitlines()[0] if compiler else "no compiler"}


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout
