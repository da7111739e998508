"""Reasons against comparing a run, each on a recorded machine that is changed for it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from edgedigits.benchmarking.comparable import Verdict, comparable
from edgedigits.machine.conditions import Conditions, Course
from tests.support.recorded_machines import fingerprint_of, snapshot_of, unpack, write

Change = Callable[[Path], object]
POLICY = "sys/devices/system/cpu/cpufreq/policy0"


def nothing(root: Path) -> None:
    """Change nothing."""


def setting(path: str, content: str) -> Change:
    return lambda root: write(root, path, content + "\n")


def flags(flags: str) -> Change:
    return setting("usr/bin/vcgencmd", f"#!/bin/sh\necho throttled={flags}")


def ticks(user: int, idle: int, stolen: int, own: int) -> Change:
    def change(root: Path) -> None:
        write(root, "proc/stat", f"cpu  {user} 0 0 {idle} 0 0 0 {stolen} 0 0\n")
        write(root, "proc/self/stat", f"1 (python) R 0 0 0 0 0 0 0 0 0 0 {own} 0 0 0 20 0\n")

    return change


QUIET = (ticks(1000, 9000, 0, 100), ticks(1110, 9300, 0, 200))
"""Two records of /proc: of 410 ticks between them, this process had 100 and others 10."""


def judge(root: Path, *, always: Change = nothing, during: Change = nothing, after: Change = nothing) -> Verdict:
    """Judge a quiet run on the machine at `root`, which is changed before, during and after it."""
    QUIET[0](root)
    always(root)
    before = snapshot_of(root)
    during(root)
    middle = snapshot_of(root)
    QUIET[1](root)
    after(root)
    return comparable(fingerprint_of(root), Course(before, (middle,) * 3, snapshot_of(root)))


@pytest.fixture
def pi(tmp_path: Path) -> Path:
    root = unpack("raspberry-pi-4", tmp_path)
    flags("0x0")(root)
    return root


@pytest.fixture
def laptop(tmp_path: Path) -> Path:
    return unpack("x86-laptop", tmp_path)


@pytest.mark.parametrize("name", ["raspberry-pi-5", "x86-laptop"])
def test_a_quiet_run_is_comparable(name: str, tmp_path: Path) -> None:
    assert judge(unpack(name, tmp_path)) == Verdict((), (), ())


@pytest.mark.parametrize(
    ("when", "reason"),
    [
        ({"during": flags("0x4")}, "throttled: throttled"),
        ({"during": flags("0x1")}, "throttled: under-voltage"),
        ({"always": flags("0x20002")}, "throttled: clock capped"),
        ({"after": flags("0x80000")}, "throttled: soft temperature limit"),
    ],
)
def test_flags_of_a_raspberry_pi(when: dict[str, Change], reason: str, pi: Path) -> None:
    assert judge(pi, **when).reasons == (reason,)


def test_throttling_before_the_run_is_a_note(pi: Path) -> None:
    verdict = judge(pi, always=flags("0x50000"))
    assert verdict.yes
    assert verdict.notes == ("the board had been held back before the run (under-voltage, throttled)",)


@pytest.mark.parametrize(
    ("machine", "path", "content", "reason"),
    [
        (
            "x86-laptop",
            "sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count",
            "5",
            "throttled: core too hot, 3 times",
        ),
        (
            "jetson-orin",
            "sys/class/hwmon/hwmon2/oc3_event_cnt",
            "5",
            "throttled: instantaneous over-current, 2 times",
        ),
        (
            "virtual-machine",
            "sys/fs/cgroup/cpu.stat",
            "nr_throttled 20",
            "stopped 6 times by the CPU quota of its control group",
        ),
    ],
)
def test_growing_counters_are_a_reason(machine: str, path: str, content: str, reason: str, tmp_path: Path) -> None:
    assert judge(unpack(machine, tmp_path), after=setting(path, content)).reasons == (reason,)


def test_only_cooling_devices_that_slow_the_processor_are_a_reason(tmp_path: Path) -> None:
    root = unpack("jetson-orin", tmp_path)
    assert judge(root, during=setting("sys/class/thermal/cooling_device1/cur_state", "3")).yes
    slowed = judge(root, during=setting("sys/class/thermal/cooling_device0/cur_state", "4"))
    assert slowed.reasons == ("throttled: cpufreq-cpu0 at 4 of 13",)


def test_load_of_other_processes_is_a_reason(pi: Path) -> None:
    # 100 ticks of this process and 40 of others, of 400.
    loaded = judge(pi, after=ticks(1140, 9260, 0, 200))
    assert loaded.reasons == ("under load: other processes had 10% of the cores' time",)
    assert judge(pi, after=ticks(1400, 9000, 0, 500)).yes


def test_stolen_time_is_a_reason(tmp_path: Path) -> None:
    verdict = judge(unpack("virtual-machine", tmp_path), after=ticks(1100, 9280, 20, 200))
    assert verdict.reasons == ("under load: the hypervisor gave 5% of the cores' time to others",)
    assert any("QEMU" in note for note in verdict.notes)
    assert "throttling" in verdict.unseen


@pytest.mark.parametrize("profile", ["low-power", "quiet", "cool"])
def test_power_saving_profiles_are_a_reason(profile: str, laptop: Path) -> None:
    verdict = judge(laptop, always=setting("sys/firmware/acpi/platform_profile", profile))
    assert verdict.reasons == (f"saving power: the platform profile is {profile}",)


def test_the_governor_powersave_is_a_reason_unless_the_processor_governs_itself(laptop: Path) -> None:
    assert judge(laptop).yes
    verdict = judge(laptop, always=setting(f"{POLICY}/scaling_driver", "acpi-cpufreq"))
    assert verdict.reasons == ("saving power: the governor powersave keeps the clock at its lowest",)


def test_energy_preferences(laptop: Path) -> None:
    path = f"{POLICY}/energy_performance_preference"
    leaning = judge(laptop, always=setting(path, "balance_power"))
    assert (leaning.yes, len(leaning.notes)) == (True, 1)
    saving = judge(laptop, always=setting(path, "power"))
    assert saving.reasons == ("saving power: the processor is asked to prefer power over speed",)


def test_a_battery_is_a_note_and_a_change_of_supply_a_reason(laptop: Path) -> None:
    unplugged = setting("sys/class/power_supply/BAT0/status", "Discharging")
    assert judge(laptop, after=unplugged).reasons == ("the supply of power changed between battery and mains",)
    on_battery = judge(laptop, always=unplugged)
    assert (on_battery.yes, on_battery.notes) == (True, ("on battery",))


def test_changed_settings_are_a_reason(laptop: Path) -> None:
    governor = judge(laptop, after=setting(f"{POLICY}/scaling_governor", "performance"))
    assert governor.reasons == ("the governor was changed",)
    write(laptop, f"{POLICY}/scaling_governor", "powersave\n")
    turbo = judge(laptop, after=setting("sys/devices/system/cpu/intel_pstate/no_turbo", "1"))
    assert turbo.reasons == ("turbo was switched",)


def test_a_clock_limit_is_a_note_and_a_changed_one_a_reason(pi: Path) -> None:
    limited = judge(pi, always=setting(f"{POLICY}/scaling_max_freq", "1500000"))
    assert (limited.yes, limited.notes) == (True, ("the clock is limited to 1500 of 1800 MHz",))
    changed = judge(pi, after=setting(f"{POLICY}/scaling_max_freq", "1200000"))
    assert changed.reasons == ("the limit of the clock was changed",)


def at_clock(root: Path, mhz: int) -> Conditions:
    write(root, f"{POLICY}/scaling_cur_freq", f"{mhz * 1000}\n")
    return snapshot_of(root)


@pytest.mark.parametrize(
    ("clocks", "reasons"),
    [
        ([1800] * 9, ()),
        ([1800, 1790, 1800, 1780, 1750, 1740, 1720, 1700, 1690], ()),
        ([1800, 1800, 1800, 1500, 1400, 1300, 1200, 1200, 1200], ("the clock fell from 1800 to 1200 MHz",)),
        # Neither one idle snapshot nor a rising clock is a fall.
        ([1800, 1800, 1800, 600, 1800, 1800, 1800, 600, 1800], ()),
        ([600, 600, 600, 1800, 1800, 1800, 1800, 1800, 1800], ()),
        # Two snapshots are too few.
        ([1800, 600], ()),
    ],
)
def test_a_falling_clock_is_a_reason(clocks: list[int], reasons: tuple[str, ...], pi: Path) -> None:
    now = snapshot_of(pi)
    course = Course(now, tuple(at_clock(pi, mhz) for mhz in clocks), now)
    assert comparable(fingerprint_of(pi), course).reasons == reasons
    during = course.to_dict()["during"]
    assert isinstance(during, dict)
    assert during["fastest_mhz"]["highest"] == max(clocks)
    assert during["samples"] == len(clocks)


def test_a_run_without_snapshots(pi: Path) -> None:
    now = snapshot_of(pi)
    course = Course(now, (), now)
    assert comparable(fingerprint_of(pi), course).unseen == ("clock", "load")
    during = course.to_dict()["during"]
    assert isinstance(during, dict)
    assert (during["fastest_mhz"], during["others_share"]) == (None, None)
