"""Whether a figure may be put beside another machine's: what would make it unfair, each with its reason.

A reason is something that made this run slower than the machine is: another load, throttling, a power saver, an
emulator. What belongs to the machine, or was set on purpose and stays so, as a virtual machine or a clock limit, is a
note: such results are marked, not barred. What a machine does not show is named as unseen rather than taken for fine.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median

from edgedigits.benchmarking.fingerprint import Course, Fingerprint
from edgedigits.benchmarking.fingerprint.clocks import Policy
from edgedigits.benchmarking.fingerprint.power import SAVING_PROFILES

OTHERS_SHARE = 0.05
"""Of the time of all cores: a fifth of one core of four, which an idle desktop does not reach."""

STOLEN_SHARE = 0.01
"""Of the time of all cores: what a hypervisor takes away comes in pieces of milliseconds, and is seen in p99."""

CLOCK_FALL = 0.10
"""Between the first and the last third of a run. Turbo clocks of one run wander by a few hundredths."""

SELF_GOVERNED = ("intel_pstate", "amd-pstate-epp", "amd_pstate_epp")
"""Drivers under which the processor chooses its clock and "powersave" is the usual governor, which saves nothing.

Documentation/admin-guide/pm/intel_pstate.rst and amd-pstate.rst.
"""


@dataclass(frozen=True)
class Verdict:
    """Whether a run may be compared.

    Attributes:
        reasons: why not; none if it may.
        notes: what a reader should know, and what makes no run unfair.
        unseen: what this machine does not show, so that nothing is known of it: "clock", "throttling", "load".
    """

    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    unseen: tuple[str, ...]

    @property
    def yes(self) -> bool:
        return not self.reasons

    def to_dict(self) -> dict[str, object]:
        return {
            "yes": self.yes,
            "reasons": list(self.reasons),
            "notes": list(self.notes),
            "unseen": list(self.unseen),
        }


def comparable(machine: Fingerprint, course: Course) -> Verdict:
    """Judge a run by the machine it was made on and the conditions over its time."""
    rules: tuple[Callable[[Course], Iterable[str]], ...] = (_throttled, _loaded, _saving, _clock_changed)
    reasons = [*_emulated(machine), *(reason for rule in rules for reason in rule(course))]
    notes = [*_between(machine), *_notes(course)]
    return Verdict(tuple(dict.fromkeys(reasons)), tuple(dict.fromkeys(notes)), tuple(_unseen(course)))


def _emulated(machine: Fingerprint) -> Iterable[str]:
    if emulator := machine.environment.emulator:
        yield f"emulated by {emulator}"


def _throttled(course: Course) -> Iterable[str]:
    for name in dict.fromkeys(name for now in course.all for name in now.throttling.now):
        yield f"throttled: {name}"
    # The firmware keeps what was so between two looks.
    earlier = course.before.throttling.since_start
    seen = {name for now in course.all for name in now.throttling.now}
    for name in course.after.throttling.since_start:
        if name not in earlier and name not in seen:
            yield f"throttled: {name}"
    for name, count in course.after.throttling.events.items():
        more = count - course.before.throttling.events.get(name, count)
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
    supplies = [now.power.on_battery for now in course.all if now.power.on_battery is not None]
    if len(set(supplies)) > 1:
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


def _between(machine: Fingerprint) -> Iterable[str]:
    environment = machine.environment
    if environment.virtual_machine:
        yield f"in a virtual machine ({environment.virtual_machine}), which hides clock, temperature and neighbours"
    if environment.container:
        yield f"in a container ({environment.container})"
    if environment.cpu_quota is not None:
        yield f"its control group grants the time of {environment.cpu_quota:g} cores"


def _notes(course: Course) -> Iterable[str]:
    earlier = course.before.throttling.since_start
    if earlier:
        yield f"the board had been held back before the run ({', '.join(earlier)})"
    if course.before.power.on_battery:
        yield "on battery"
    if course.before.power.mode:
        yield f"power mode {course.before.power.mode}"
    if course.before.clocks.turbo is False:
        yield "turbo is off"
    for policy in course.before.clocks.policies:
        if limit := _limit(policy):
            yield limit
        if policy.governor == "userspace":
            yield "the clock is set by hand (governor userspace)"
        if policy.preference == "balance_power":
            yield "the processor is asked to lean towards saving power (balance_power)"


def _limit(policy: Policy) -> str | None:
    if not policy.highest_mhz or not policy.hardware_mhz or policy.highest_mhz >= policy.hardware_mhz:
        return None
    return f"the clock is limited to {policy.highest_mhz:.0f} of {policy.hardware_mhz:.0f} MHz"


def _unseen(course: Course) -> Iterable[str]:
    if not course.busy_clocks:
        yield "clock"
    if not any(now.throttling.visible for now in course.all):
        yield "throttling"
    if course.shares is None:
        yield "load"
