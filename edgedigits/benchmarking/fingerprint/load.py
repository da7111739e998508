"""What else the machine does: time of its cores by who had it."""

import re
from dataclasses import asdict, dataclass

from edgedigits.benchmarking.fingerprint.environment import cgroup_folders
from edgedigits.benchmarking.fingerprint.tree import Tree


@dataclass(frozen=True)
class Ticks:
    """Time of all cores since the machine started, in ticks (mostly 10 ms): /proc/stat and /proc/self/stat.

    Attributes:
        total: all of it.
        busy: when a core worked for anybody.
        stolen: when the hypervisor gave the core to another virtual machine.
        own: what this process and its ended children had of `busy`.
    """

    total: int
    busy: int
    stolen: int
    own: int


@dataclass(frozen=True)
class Load:
    """Load as counters: what it was in between, two of these tell.

    Attributes:
        averages: runnable tasks over 1, 5 and 15 minutes, this process among them; None where there are none.
        ticks: None where the kernel does not count them, or hides them.
        quota_stops: how often the control group's quota has stopped its processes; None without one.
    """

    averages: tuple[float, float, float] | None
    ticks: Ticks | None
    quota_stops: int | None

    def to_dict(self) -> dict[str, object]:
        return {
            "averages": list(self.averages) if self.averages else None,
            "ticks": asdict(self.ticks) if self.ticks else None,
            "quota_stops": self.quota_stops,
        }


@dataclass(frozen=True)
class Shares:
    """Of the time of all cores between two moments, the shares 0 to 1 that others had.

    Attributes:
        others: other processes.
        stolen: other virtual machines.
    """

    others: float
    stolen: float


def read_load(tree: Tree) -> Load:
    """Read the counters as they are now."""
    return Load(
        averages=parse_averages(tree.text("proc/loadavg") or ""),
        ticks=_ticks(tree),
        quota_stops=_quota_stops(tree),
    )


def shares_between(before: Ticks | None, after: Ticks | None) -> Shares | None:
    """Return what others had; None where that was not counted, or no time had passed."""
    if before is None or after is None or after.total <= before.total:
        return None
    total = after.total - before.total
    # The counters of a core and of a process tick apart, so that a difference may be just below 0.
    others = max(0, (after.busy - before.busy) - (after.own - before.own))
    return Shares(min(1.0, others / total), min(1.0, max(0, after.stolen - before.stolen) / total))


def parse_averages(text: str) -> tuple[float, float, float] | None:
    """Read "0.52 0.58 0.59 1/598 12345" (proc_loadavg(5))."""
    parts = text.split()[:3]
    if len(parts) < 3 or not all(re.fullmatch(r"[0-9]{1,9}\.[0-9]{1,9}", part) for part in parts):
        return None
    first, second, third = map(float, parts)
    return first, second, third


def parse_cpu_line(text: str) -> tuple[int, int, int] | None:
    """Return total, busy and stolen ticks of the line "cpu" of /proc/stat (proc_stat(5))."""
    match = re.search(r"^cpu +([0-9 ]+)$", text, re.MULTILINE)
    counts = [int(count) for count in match[1].split()] if match else []
    if len(counts) < 4:
        return None
    user, nice, system, idle, waiting, interrupts, soft, stolen = (counts + [0] * 8)[:8]
    busy = user + nice + system + interrupts + soft
    total = busy + idle + waiting + stolen
    # Some sandboxes write zeros only.
    return (total, busy, stolen) if total else None


def parse_own_ticks(text: str) -> int | None:
    """Return the ticks of a process and its ended children: fields 14 to 17 of /proc/self/stat (proc_pid_stat(5))."""
    # The second field is the program's name, which may hold spaces and brackets.
    fields = text.rpartition(")")[2].split()[11:15]
    if len(fields) < 4 or not all(re.fullmatch(r"-?[0-9]{1,20}", field) for field in fields):
        return None
    return sum(map(int, fields))


def _ticks(tree: Tree) -> Ticks | None:
    own = parse_own_ticks(tree.text("proc/self/stat") or "")
    of_all = parse_cpu_line(tree.text("proc/stat") or "")
    return None if own is None or of_all is None else Ticks(*of_all, own)


def _quota_stops(tree: Tree) -> int | None:
    for folder in cgroup_folders(tree):
        match = re.search(r"^nr_throttled ([0-9]{1,20})$", tree.text(f"{folder}/cpu.stat") or "", re.MULTILINE)
        if match:
            return int(match[1])
    return None
