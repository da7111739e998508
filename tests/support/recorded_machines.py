"""Recorded machines in tests/support/machines: unpack their trees, change them, and describe them."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from edgedigits.machine import conditions, fingerprint

MACHINES = Path(__file__).parent / "machines"
NAMES = sorted(path.stem for path in MACHINES.glob("*.txtar"))

DEVICE_TREE = ("proc/device-tree/", "sys/firmware/devicetree/")


def unpack(name: str, root: Path) -> Path:
    """Write a recorded machine's tree beneath `root`, which is returned."""
    text = (MACHINES / f"{name}.txtar").read_text()
    _, *parts = re.split(r"^-- (\S+)( \(unreadable\))? --\n", text, flags=re.MULTILINE)
    for path, unreadable, content in zip(parts[0::3], parts[1::3], parts[2::3], strict=True):
        if unreadable:
            # A folder: no test has to run without the rights of an administrator to find it unreadable.
            (root / path).mkdir(parents=True)
        else:
            write(root, path, content)
    return root


def write(root: Path, path: str, content: str) -> None:
    """Write one file of a tree as the kernel would."""
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    if path.startswith(DEVICE_TREE):
        content = content.removesuffix("\n").replace("\\0", "\0") + "\0"
    place.write_text(content)
    if content.startswith("#!"):
        place.chmod(0o755)


class RecordedSystem:
    """psutil's functions for a recorded machine, answered from its tree."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def cpu_times(self) -> SimpleNamespace:
        match = re.search(r"^cpu +([0-9 ]+)$", self._text("proc/stat"), re.MULTILINE)
        counts = [int(count) / 100 for count in match[1].split()] if match else []
        if len(counts) < 4:
            raise ValueError("no line of all cores in /proc/stat")
        names = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
        return SimpleNamespace(**dict(zip(names, counts, strict=False)))

    def Process(self) -> SimpleNamespace:  # noqa: N802  # psutil's name
        return SimpleNamespace(cpu_times=self._own_times)

    def getloadavg(self) -> tuple[float, ...]:
        return tuple(
            float(part) for part in self._text("proc/loadavg").split()[:3] if re.fullmatch(r"[0-9.]{3,9}", part)
        )

    def cpu_count(self, logical: bool = True) -> int | None:
        if logical:
            return len(core_numbers(self._text("sys/devices/system/cpu/online"))) or None
        lists = self._root.glob("sys/devices/system/cpu/cpu[0-9]*/topology/*_list")
        named = [path for path in lists if path.name in ("core_cpus_list", "thread_siblings_list")]
        return len({path.read_bytes().strip() for path in named}) or None

    def _own_times(self) -> SimpleNamespace:
        fields = self._text("proc/self/stat").rpartition(")")[2].split()[11:15]
        if len(fields) < 4 or not all(re.fullmatch(r"-?[0-9]{1,20}", field) for field in fields):
            raise ValueError("no times in /proc/self/stat")
        names = ("user", "system", "children_user", "children_system")
        return SimpleNamespace(**{name: int(field) / 100 for name, field in zip(names, fields, strict=True)})

    def _text(self, path: str) -> str:
        place = self._root / path
        return place.read_text(errors="replace") if place.is_file() else ""


def core_numbers(text: str) -> tuple[int, ...]:
    """Parse a list of cores as the kernel writes it: "0-3,8"."""
    found: list[int] = []
    for part in text.strip().split(","):
        if not (match := re.fullmatch(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", part)):
            return ()
        found += range(int(match[1]), int(match[2] or match[1]) + 1)
    return tuple(found)


def fingerprint_of(root: Path, **options: Any) -> fingerprint.Fingerprint:
    """Describe a recorded machine."""
    return fingerprint.fingerprint(root, RecordedSystem(root), **options)


def snapshot_of(root: Path) -> conditions.Conditions:
    """Read a recorded machine's conditions."""
    return conditions.snapshot(root, RecordedSystem(root))
