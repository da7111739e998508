"""Full disks, folders that may not be written, clocks that jump, mirrors that break: clear errors, nothing lost.

    python -m tests.torture.faults --seed 0
    python -m tests.torture.faults --part disk --out found.json

Disks are tmpfs of a few kilobytes in a mount namespace of its own (`unshare`, of util-linux), so that nothing outside
is touched; where a system forbids that, the disk part says so and is left out. Each promise that was broken is listed.
"""

import argparse
import contextlib
import ctypes
import importlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.torture.killing import Ended, run, run_fresh
from tests.torture.kills import COMMANDS, surroundings
from tests.torture.mirrors import attack_downloads
from tests.torture.recording import RESULTS, record
from tests.torture.whole import left_behind, torn, visible

HERE = Path(__file__).parent

KILOBYTES = (16, 48, 80, 112, 176, 304, 560)
"""Sizes of disks; each command fails at another of its files."""

ON_DISKS = ("train", "export-shipped", "export-c", "export-web", "download")

JUMPS = {
    "back and forth": "0,-86400,0,315360000,-3600,7200",
    "never set": "-1795000000",
}
"""Seconds by which the clock is wrong, one for each 20 ms in turn."""

AFTER_CLOCKS = ("train", "export-c", "download")

# linux/capability.h
CAPABILITY_VERSION_3 = 0x20080522


def can_mount() -> bool:
    """Whether this system lets us have a mount namespace."""
    tried = ["unshare", "-rm", "mount", "-t", "tmpfs", "-o", "size=16k", "none", "/tmp"]
    with contextlib.suppress(FileNotFoundError):
        return subprocess.run(tried, capture_output=True, check=False).returncode == 0
    return False


def complaint(ended: Ended, *words: str) -> str:
    """Return what is wrong with how a command failed; empty where it said so in one line, with one of the words."""
    lines = [line for line in ended.said.splitlines() if line.startswith("error: ")]
    if ended.code != 1 or len(lines) != 1 or "Traceback" in ended.said:
        return f"ended with {ended.code}: {ended.said.strip()[-400:]}"
    return "" if any(word in lines[0] for word in words) else f"said nothing of {' or '.join(words)}: {lines[0]}"


def on_small_disks(names: tuple[str, ...] = ON_DISKS, sizes: tuple[int, ...] = KILOBYTES) -> dict[str, Any]:
    """Run each command on disks that are too small, then give them room and go on. In a mount namespace only."""
    found: dict[str, Any] = {"runs": 0, "full": 0, "completed": 0, "broken": []}
    for name in names:
        _import(name)
        for size in sizes:
            broken = _on_a_small_disk(name, size, found)
            found["runs"] += 1
            found["broken"] += [f"{name} on {size} kB: {what}" for what in broken]
            print(name, size, broken or "as promised", flush=True)
    return found


def _on_a_small_disk(name: str, size: int, found: dict[str, Any]) -> list[str]:
    broken: list[str] = []
    with _disk(f"size={size}k") as (disk, scratch):
        (disk / "mine.txt").write_text("old")
        ended = run(COMMANDS[name].start, disk, scratch=scratch)
        if ended.code:
            found["full"] += 1
            broken += filter(None, [complaint(ended, "No space left")])
        broken += _not_whole(disk)
        _mount("-o", "remount,size=64m", disk)
        go_on = COMMANDS[name].again
        again = go_on(disk) if go_on and ended.code else COMMANDS[name].start
        if ended.code and (ended := run(again, disk, scratch=scratch)).code:
            broken.append(f"did not go on with room: {ended.said.strip()[-300:]}")
        found["completed"] += not ended.code
        broken += _not_whole(disk)
        if left := left_behind(disk):
            broken.append(f"left {', '.join(left)}")
    return broken


def _not_whole(folder: Path) -> list[str]:
    if (folder / "mine.txt").read_text() != "old":
        return ["a file of somebody else was changed"]
    known = (path for path in visible(folder) if path.suffix in (".keras", ".json", ".csv", ".png", ".npz", ".tflite"))
    return [f"{path.name} is torn: {why}" for path in known if (why := torn(path))]


def on_read_only_disks(names: tuple[str, ...] = ON_DISKS) -> dict[str, Any]:
    """Run each command on a disk that is mounted read-only. In a mount namespace only."""
    broken = []
    for name in names:
        _import(name)
        with _disk("size=1m") as (disk, scratch):
            _mount("-o", "remount,ro", disk)
            if why := complaint(run(COMMANDS[name].start, disk, scratch=scratch), "Read-only file system"):
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
    """Run each command in a folder that its user may read but not write, and below one that it may not enter."""
    broken = []
    for name in names:
        _import(name)
        for mode in (0o555, 0o000):
            with tempfile.TemporaryDirectory(prefix="edgedigits-closed-") as place:
                folder = Path(place) / "closed"
                folder.mkdir()
                inside = folder if mode else Path(place)
                arguments = COMMANDS[name].start if mode else _below_closed(COMMANDS[name].start)
                folder.chmod(mode)
                ended = run(arguments, inside, scratch=Path(place), first=give_up_privileges)
                folder.chmod(0o755)
                if why := complaint(ended, "Permission denied"):
                    broken.append(f"{name} in a folder of mode {mode:03o}: {why}")
                if left := list(folder.iterdir()):
                    broken.append(f"{name} in a folder of mode {mode:03o} left {left}")
    return {"runs": 2 * len(names), "broken": broken}


def _below_closed(arguments: list[str]) -> list[str]:
    """Let a command write below the closed folder, beside which it runs."""
    places = {k + 1 for k, argument in enumerate(arguments) if argument in ("--out", "--data-dir")}
    return [f"closed/{argument}" if k in places else argument for k, argument in enumerate(arguments)]


def give_up_privileges() -> None:
    """Become subject to permissions as everybody is: the administrator's capabilities go, for this process."""
    if os.geteuid() != 0:
        return
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    library = ctypes.CDLL(None, use_errno=True)
    if library.capset(header, nothing) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def with_wrong_clocks(names: tuple[str, ...] = AFTER_CLOCKS, jumps: dict[str, str] = JUMPS) -> dict[str, Any]:
    """Run each command, in a new interpreter, under a wall clock that jumps, and under one that was never set."""
    broken = []
    with tempfile.TemporaryDirectory(prefix="edgedigits-clock-") as place:
        library = _build_clock(Path(place))
        for name in names:
            wanted = _outcome_under(name, Path(place), {})
            for what, offsets in jumps.items():
                given = {"LD_PRELOAD": str(library), "JUMPS": offsets}
                got = _outcome_under(name, Path(place), given)
                # A zip file, which a .keras file is, knows no day before 1980.
                refused = isinstance(got, Ended) and what == "never set" and not complaint(got, "set the clock")
                if got != wanted and not refused:
                    how = got.said[-300:] if isinstance(got, Ended) else "what it made differs"
                    broken.append(f"{name} under a clock that is {what}: {how}")
                print(name, what, "refused, and said so" if refused else broken or "as ever", flush=True)
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
        raise SystemExit("needs a C compiler (Debian package gcc) for the clock that jumps")
    source = HERE / "jumping_clock.c"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return library


def _import(name: str) -> None:
    for module in COMMANDS[name].imports:
        importlib.import_module(module)


def _in_namespace(part: str, out: Path) -> None:
    command = [
        "unshare",
        "-rm",
        sys.executable,
        "-m",
        "tests.torture.faults",
        "--inside",
        "--part",
        part,
        "--out",
        str(out),
    ]
    subprocess.run(command, check=True)


NAMESPACED: dict[str, Callable[[], dict[str, Any]]] = {
    "full disks": on_small_disks,
    "read-only disks": on_read_only_disks,
}
PARTS = (*NAMESPACED, "no permission", "wrong clocks", "mirrors")


def main() -> None:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=PARTS, action="append", help="all of them if it is not given")
    parser.add_argument("--downloads", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS / "faults.json")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    wanted = given.part or PARTS
    found: dict[str, dict[str, Any]] = {}
    with surroundings():
        for part in wanted:
            if part in NAMESPACED and not given.inside:
                if can_mount():
                    _in_namespace(part, given.out)
                else:
                    found[part] = {"left_out": "this system forbids mount namespaces", "broken": []}
            elif part in NAMESPACED:
                found[part] = NAMESPACED[part]()
            elif part == "no permission":
                found[part] = without_permission()
            elif part == "wrong clocks":
                found[part] = with_wrong_clocks()
            else:
                found[part] = attack_downloads(given.downloads, given.seed)
            if part in found:
                record(given.out, part, found[part])
                print(part, found[part], flush=True)
    sys.exit(any(each["broken"] for each in found.values()))


if __name__ == "__main__":
    main()
