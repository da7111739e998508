"""Full disks, missing permissions, wrong clocks and faulty mirrors: a clear error, and no file lost.

    python -m tests.torture.faults --seed 0
    python -m tests.torture.faults --part "full disks" --out found.json

Disks are tmpfs of a few kilobytes in a mount namespace (`unshare`, of util-linux), so that nothing outside changes.
A system that forbids this leaves the disk parts out. Each broken promise is listed.
"""

import argparse
import contextlib
import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.torture.commands import COMMANDS, surroundings
from tests.torture.file_checks import damage, left_behind, visible
from tests.torture.forking import Ended, run, run_fresh
from tests.torture.mirrors import attack_downloads
from tests.torture.runner import parser, record

KILOBYTES = (16, 48, 80, 112, 176, 304, 560)
"""Sizes of disks; a command fails at a different file on each."""

ON_DISKS = ("train", "export-shipped", "export-c", "export-web", "download")

JUMPS = {"back and forth": "0,-86400,0,315360000,-3600,7200", "never set": "-1795000000"}
"""Seconds by which the clock is wrong; the next number applies every 20 ms."""

AFTER_CLOCKS = ("train", "export-c", "download")

# linux/capability.h
CAPABILITY_VERSION_3 = 0x20080522

Part = Callable[[], dict[str, Any]]


def can_mount() -> bool:
    """Return whether this system allows mount namespaces."""
    command = ["unshare", "-rm", "mount", "-t", "tmpfs", "-o", "size=16k", "none", "/tmp"]
    with contextlib.suppress(FileNotFoundError):
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    return False


def fault_of_error(ended: Ended, reason: str) -> str:
    """Return what is wrong with a failure; empty if the command printed one line that names the reason."""
    lines = [line for line in ended.output.splitlines() if line.startswith("error: ")]
    if ended.code != 1 or len(lines) != 1 or "Traceback" in ended.output:
        return f"ended with {ended.code}: {ended.output.strip()[-400:]}"
    return "" if reason in lines[0] else f"the error does not name {reason!r}: {lines[0]}"


def on_small_disks(names: tuple[str, ...] = ON_DISKS, sizes: tuple[int, ...] = KILOBYTES) -> dict[str, Any]:
    """Run each command on disks that are too small, then enlarge them and resume. In a mount namespace only."""
    found: dict[str, Any] = {"runs": 0, "full": 0, "completed": 0, "broken": []}
    for name in names:
        COMMANDS[name].import_modules()
        for size in sizes:
            broken = _on_a_small_disk(name, size, found)
            found["runs"] += 1
            found["broken"] += [f"{name} on {size} kB: {what}" for what in broken]
            print(name, size, broken or "passed", flush=True)
    return found


def _on_a_small_disk(name: str, size: int, found: dict[str, Any]) -> list[str]:
    command = COMMANDS[name]
    with _disk(f"size={size}k") as (disk, scratch):
        (disk / "mine.txt").write_text("old")
        ended = run(command.start, disk, scratch=scratch)
        broken = [fault_of_error(ended, "No space left")] if ended.code else []
        found["full"] += bool(ended.code)
        broken += _damaged_files(disk)
        _mount("-o", "remount,size=64m", disk)
        if ended.code and (ended := run(command.resumed(disk), disk, scratch=scratch)).code:
            broken.append(f"did not resume with more space: {ended.output.strip()[-300:]}")
        found["completed"] += not ended.code
        broken += _damaged_files(disk)
        if left := left_behind(disk):
            broken.append(f"left {', '.join(left)}")
    return [what for what in broken if what]


def _damaged_files(folder: Path) -> list[str]:
    if (folder / "mine.txt").read_text() != "old":
        return ["another file was changed"]
    known = (path for path in visible(folder) if path.suffix in (".keras", ".json", ".csv", ".png", ".npz", ".tflite"))
    return [f"{path.name} is damaged: {why}" for path in known if (why := damage(path))]


def on_read_only_disks(names: tuple[str, ...] = ON_DISKS) -> dict[str, Any]:
    """Run each command on a read-only disk. In a mount namespace only."""
    broken = []
    for name in names:
        COMMANDS[name].import_modules()
        with _disk("size=1m") as (disk, scratch):
            _mount("-o", "remount,ro", disk)
            if why := fault_of_error(run(COMMANDS[name].start, disk, scratch=scratch), "Read-only file system"):
                broken.append(f"{name}: {why}")
    return {"runs": len(names), "broken": broken}


@contextlib.contextmanager
def _disk(options: str) -> Iterator[tuple[Path, Path]]:
    with tempfile.TemporaryDirectory(prefix="edgedigits-disk-") as folder:
        disk, scratch = Path(folder) / "disk", Path(folder) / "scratch"
        disk.mkdir()
        scratch.mkdir()
        _mount("-t", "tmpfs", "-o", options, "none", disk)
        try:
            yield disk, scratch
        finally:
            subprocess.run(["umount", "-l", disk], check=True)


def _mount(*arguments: str | Path) -> None:
    subprocess.run(["mount", *arguments], check=True)


def without_permission(names: tuple[str, ...] = ON_DISKS) -> dict[str, Any]:
    """Run each command in a folder that is read-only for its user, and below one that its user may not enter."""
    broken = []
    for name in names:
        COMMANDS[name].import_modules()
        for mode in (0o555, 0o000):
            with tempfile.TemporaryDirectory(prefix="edgedigits-closed-") as place:
                folder = Path(place) / "closed"
                folder.mkdir(mode)
                start = COMMANDS[name].start
                arguments, inside = (start, folder) if mode else (_below_closed(start), Path(place))
                ended = run(arguments, inside, scratch=Path(place), first=drop_privileges)
                folder.chmod(0o755)
                where = f"{name} in a folder of mode {mode:03o}"
                if why := fault_of_error(ended, "Permission denied"):
                    broken.append(f"{where}: {why}")
                if left := list(folder.iterdir()):
                    broken.append(f"{where} left {left}")
    return {"runs": 2 * len(names), "broken": broken}


def _below_closed(arguments: list[str]) -> list[str]:
    """Move a command's output below the closed folder."""
    places = {k + 1 for k, argument in enumerate(arguments) if argument in ("--out", "--data-dir")}
    return [f"closed/{argument}" if k in places else argument for k, argument in enumerate(arguments)]


def drop_privileges() -> None:
    """Drop the administrator's capabilities in this process, so that permissions apply."""
    if os.geteuid() == 0:
        header, nothing = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0), (ctypes.c_uint32 * 6)()
        if ctypes.CDLL(None, use_errno=True).capset(header, nothing) != 0:
            raise OSError(ctypes.get_errno(), "capset")


def with_wrong_clocks(names: tuple[str, ...] = AFTER_CLOCKS, jumps: dict[str, str] = JUMPS) -> dict[str, Any]:
    """Run each command in a new interpreter, under a wall clock that jumps and one that was never set."""
    broken = []
    with tempfile.TemporaryDirectory(prefix="edgedigits-clock-") as place:
        library = _build_clock(Path(place))
        for name in names:
            expected = _outcome_under(name, Path(place), {})
            for clock, offsets in jumps.items():
                got = _outcome_under(name, Path(place), {"LD_PRELOAD": str(library), "JUMPS": offsets})
                # A .keras file is a zip file, which cannot hold dates before 1980.
                refused = isinstance(got, Ended) and clock == "never set" and not fault_of_error(got, "set the clock")
                if got != expected and not refused:
                    how = got.output[-300:] if isinstance(got, Ended) else "the outcome differs"
                    broken.append(f"{name} under a clock that is {clock}: {how}")
                print(name, clock, "refused with a typed error" if refused else broken or "passed", flush=True)
    return {"runs": len(names) * len(jumps), "broken": broken}


def _outcome_under(name: str, place: Path, environment: dict[str, str]) -> Any:
    folder = Path(tempfile.mkdtemp(dir=place))
    COMMANDS[name].prepare(folder)
    ended = run_fresh(COMMANDS[name].start, folder, more=environment)
    if ended.code:
        return ended
    outcome = COMMANDS[name].outcome(folder)
    shutil.rmtree(folder)
    return outcome


def _build_clock(place: Path) -> Path:
    library = place / "jumping_clock.so"
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise SystemExit("the jumping clock needs a C compiler (Debian package gcc)")
    source = Path(__file__).with_name("jumping_clock.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return library


IN_NAMESPACE: dict[str, Part] = {"full disks": on_small_disks, "read-only disks": on_read_only_disks}
PARTS = (*IN_NAMESPACE, "no permission", "wrong clocks", "mirrors")


def main() -> None:
    """Run the chosen parts."""
    arguments = parser(__doc__, "faults")
    arguments.add_argument("--part", choices=PARTS, action="append", help="default: all of them")
    arguments.add_argument("--downloads", type=int, default=500)
    arguments.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    parts: dict[str, Part] = {
        **IN_NAMESPACE,
        "no permission": without_permission,
        "wrong clocks": with_wrong_clocks,
        "mirrors": lambda: attack_downloads(given.downloads, given.seed),
    }
    failed = False
    with surroundings():
        for part in given.part or PARTS:
            if part in IN_NAMESPACE and not given.inside and can_mount():
                command = [sys.executable, "-m", "tests.torture.faults", "--inside", "--part", part, "--out", given.out]
                failed |= bool(subprocess.run(["unshare", "-rm", *command], check=False).returncode)
                continue
            left_out = part in IN_NAMESPACE and not given.inside
            found = {"left_out": "this system forbids mount namespaces", "broken": []} if left_out else parts[part]()
            record(given.out, part, found)
            print(part, found, flush=True)
            failed |= bool(found["broken"])
    sys.exit(failed)


if __name__ == "__main__":
    main()
