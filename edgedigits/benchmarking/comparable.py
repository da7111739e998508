"""Decide whether a run's figures may be compared with another machine's, with a reason for each objection.

A reason is something that made this run slower than the machine is: other load, throttling, power saving, an emulator.
A lasting property of the machine, such as a virtual machine or a clock limit, is a note. What a machine does not report
is listed as unseen, not assumed to be fine.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from edgedigits.machine.conditions import Conditions, Course, snapshot
from edgedigits.machine.fingerprint import Fingerprint, fingerprint
from edgedigits_runtime.engines import probe_engines

Save = Callable[[str, Any], object]
"""Receives a section's name and content; a section may come again with more content."""

OTHERS_SHARE = 0.05  # Of all cores' time: a fifth of one core of four. An idle desktop uses less.
STOLEN_SHARE = 0.01  # Of all cores' time: a hypervisor takes pieces of milliseconds, which show in p99.
CLOCK_FALL = 0.10  # Between the first and the last third of a run. Turbo clocks vary by a few hundredths within a run.

SELF_GOVERNED = ("intel_pstate", "amd-pstate-epp", "amd_pstate_epp")
"""Drivers under which the processor chooses its clock, so that the governor "powersave" is usual and saves nothing.

Documentation/admin-guide/pm/intel_pstate.rst and amd-pstate.rst.
"""

SAVING_PROFILES = ("low-power", "quiet", "cool")
"""Profiles that limit a machine's speed: Documentation/ABI/testing/sysfs-platform_profile."""


@dataclass(frozen=True)
class Verdict:
    """Whether a run may be compared."""

    reasons: tuple[str, ...]  # Why not; empty if it may.
    notes: tuple[str, ...]  # Facts that a reader should know, but that do not bar a comparison.
    unseen: tuple[str, ...]  # What this machine does not report: "clock", "throttling", "load".

    @property
    def yes(self) -> bool:
        return not self.reasons

    def to_dict(self) -> dict[str, object]:
        return {"yes": self.yes, "reasons": self.reasons, "notes": self.notes, "unseen": self.unseen}


def comparable(machine: Fingerprint, course: Course) -> Verdict:
    """Judge a run by its machine and the conditions over its time."""
    emulator = machine.environment.emulator
    reasons = [f"emulated by {emulator}"] if emulator else []
    for rule in (_throttled, _loaded, _saving, _clock_changed):
        reasons += rule(course)
    notes = dict.fromkeys(_notes(machine, course))
    return Verdict(tuple(dict.fromkeys(reasons)), tuple(notes), tuple(_unseen(course)))


def _throttled(course: Course) -> Iterable[str]:
    seen = list(dict.fromkeys(name for now in course.all for name in now.throttling.now))
    # The firmware also records what happened between two snapshots.
    before, after = course.before.throttling, course.after.throttling
    seen += [name for name in after.since_start if name not in before.since_start and name not in seen]
    yield from (f"throttled: {name}" for name in seen)
    for name, count in after.events.items():
        more = count - before.events.get(name, count)
        if more > 0:
            yield f"throttled: {name}, {more} times"


def _loaded(course: Course) -> Iterable[str]:
    shares = course.shares
    if shares and shares.others > OTHERS_SHARE:
        yield f"under load: other processes had {shares.others:.0%} of the cores' time"
    if shares and shares.stolen > STOLEN_SHARE:
        yield f"under load: the hypervisor gave {shares.stolen:.0%} of the cores' time to others"
    before, after = course.before.load.quota_stops, course.after.load.quota_stops
    if before is not None and after is not None and after > before:
        yield f"stopped {after - before} times by the CPU quota of its control group"


def _saving(course: Course) -> Iterable[str]:
    for now in course.all:
        if now.power.profile in SAVING_PROFILES:
            yield f"saving power: the platform profile is {now.power.profile}"
        for policy in now.clocks.policies:
            if policy.governor == "powersave" and policy.driver not in SELF_GOVERNED:
                yield "saving power: the governor powersave keeps the clock at its lowest"
            if policy.preference == "power":
                yield "saving power: the processor is asked to prefer power over speed"
    if len({now.power.on_battery for now in course.all} - {None}) > 1:
        yield "the supply of power changed between battery and mains"


def _clock_changed(course: Course) -> Iterable[str]:
    clocks = course.busy_clocks
    third = len(clocks) // 3
    if third:
        first, last = median(clocks[:third]), median(clocks[-third:])
        if last < first * (1 - CLOCK_FALL):
            yield f"the clock fell from {first:.0f} to {last:.0f} MHz"
    before, after = course.before.clocks, course.after.clocks
    if [policy.governor for policy in before.policies] != [policy.governor for policy in after.policies]:
        yield "the governor was changed"
    if [policy.highest_mhz for policy in before.policies] != [policy.highest_mhz for policy in after.policies]:
        yield "the limit of the clock was changed"
    if before.turbo != after.turbo:
        yield "turbo was switched"


def _notes(machine: Fingerprint, course: Course) -> Iterable[str]:
    environment, before = machine.environment, course.before
    if environment.virtual_machine:
        yield f"in a virtual machine ({environment.virtual_machine}), which hides clock, temperature and neighbours"
    if environment.container:
        yield f"in a container ({environment.container})"
    if environment.cpu_quota is not None:
        yield f"its control group grants the time of {environment.cpu_quota:g} cores"
    if earlier := before.throttling.since_start:
        yield f"the board had been held back before the run ({', '.join(earlier)})"
    if before.power.on_battery:
        yield "on battery"
    if before.power.mode:
        yield f"power mode {before.power.mode}"
    if before.clocks.turbo is False:
        yield "turbo is off"
    for policy in before.clocks.policies:
        if policy.highest_mhz and policy.hardware_mhz and policy.highest_mhz < policy.hardware_mhz:
            yield f"the clock is limited to {policy.highest_mhz:.0f} of {policy.hardware_mhz:.0f} MHz"
        if policy.governor == "userspace":
            yield "the clock is set by hand (governor userspace)"
        if policy.preference == "balance_power":
            yield "the processor is asked to lean towards saving power (balance_power)"


def _unseen(course: Course) -> Iterable[str]:
    if not course.busy_clocks:
        yield "clock"
    if not any(now.throttling.visible for now in course.all):
        yield "throttling"
    if course.shares is None:
        yield "load"


class MachineMonitor:
    """Saves "fingerprint" and "comparable" before, during and after a run; made right before the run."""

    def __init__(self, save: Save, root: Path = Path("/")) -> None:
        self._save, self._root = save, root
        self._machine = fingerprint(root, engines=probe_engines())
        self._before = snapshot(root)
        self._during: list[Conditions] = []
        self._save("fingerprint", {**self._machine.to_dict(), "before": self._before.to_dict()})

    def look(self) -> Conditions:
        """Take a snapshot between two parts of the run, and return it."""
        now = snapshot(self._root)
        self._during.append(now)
        self._judge(now)
        return now

    def finish(self) -> None:
        """Take the last snapshot; all child processes must have ended."""
        self._judge(snapshot(self._root))

    def _judge(self, after: Conditions) -> None:
        course = Course(self._before, tuple(self._during), after)
        self._save("fingerprint", {**self._machine.to_dict(), **course.to_dict()})
        self._save("comparable", comparable(self._machine, course).to_dict())
