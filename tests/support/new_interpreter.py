"""Run Python in a new interpreter: a test that must fork before anything was computed, or a server beside the tests."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def environment(more: dict[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment with the packages of the repository on the path."""
    paths = [
        *(str(REPOSITORY / name) for name in ("", "runtime", "exporters")),
        *filter(None, [os.environ.get("PYTHONPATH")]),
    ]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "TF_CPP_MIN_LOG_LEVEL": "3", **(more or {})}


def in_new_interpreter(code: str, *before: str) -> None:
    """Run `code`, whose assertions are the test, optionally by the command `before`."""
    done = subprocess.run(
        [*before, sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


@contextmanager
def background(module: str, *arguments: str, more: dict[str, str] | None = None) -> Iterator[str]:
    """Run `python -m MODULE` beside the block, and yield its first line; it ends when its standard input is closed."""
    with subprocess.Popen(
        [sys.executable, "-m", module, *arguments], cwd=REPOSITORY, env=environment(more),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        assert process.stdin and process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()
