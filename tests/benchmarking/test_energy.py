"""Energy by recorded sensors, and by synthetic ones with known figures."""

import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedigits.benchmarking.energy.consumption import Energy, Plan, Recording, measure_energy
from edgedigits.benchmarking.energy.meters import METERS, Meter, NoMeter, open_meter, parse_rails
from edgedigits_runtime.errors import UnknownName
from tests.support.recorded_machines import unpack, write


class Machine:
    """A synthetic machine: a clock that the test advances, and its power."""

    def __init__(self, idle: float, busy: float) -> None:
        self.idle, self.busy = idle, busy
        self.now, self.joules, self.watts = 0.0, 0.0, idle

    def clock(self) -> float:
        return self.now

    def rest(self, seconds: float) -> None:
        self._go(seconds, self.idle)

    def work(self) -> int:
        self._go(0.01, self.busy)
        return 20

    def _go(self, seconds: float, watts: float) -> None:
        self.now, self.joules, self.watts = self.now + seconds, self.joules + seconds * watts, watts


def meter_of(read: Callable[[], Mapping[str, float]], kind: str = "counter", wraps_at: float = 0.0) -> Meter:
    return Meter(
        name="synthetic",
        scope="a synthetic machine",
        kind="power" if kind == "power" else "counter",
        read=read,
        channels=("all",),
        total=("all",),
        wraps_at={"all": wraps_at},
        interval_seconds=3600.0,
    )


def test_gross_and_net_energy() -> None:
    machine = Machine(idle=2.0, busy=5.0)
    # Wraps after 31 joules, several times over the rounds.
    meter = meter_of(lambda: {"all": machine.joules * 1e6 % 31e6}, wraps_at=31e6)
    energy = measure_energy(meter, machine.work, clock=machine.clock, rest=machine.rest)
    assert isinstance(energy, Energy)
    found = energy.to_dict()
    assert found["idle_watts"] == pytest.approx([2.0] * 4)
    assert found["busy_watts"] == pytest.approx([5.0] * 3)
    # 20 inferences take 10 ms at 5 W: 2500 microjoules each, 1500 of them above idle.
    per_inference = found["microjoules_per_inference"]
    assert isinstance(per_inference, dict)
    assert per_inference["gross"] == pytest.approx(2500)
    assert per_inference["net"] == pytest.approx(1500)
    assert per_inference["net_of_rounds"] == pytest.approx([1500] * 3)
    assert found["channels"] == {"all": {"idle_watts": found["idle_watts"], "busy_watts": found["busy_watts"]}}
    assert json.loads(json.dumps(found))["available"] is True


def test_rising_idle_power_is_not_counted_as_work() -> None:
    machine = Machine(idle=2.0, busy=5.0)

    def rest(seconds: float) -> None:
        machine.rest(seconds)
        machine.idle += 0.4
        machine.busy += 0.4

    meter = meter_of(lambda: {"all": machine.joules * 1e6})
    energy = measure_energy(meter, machine.work, clock=machine.clock, rest=rest)
    assert isinstance(energy, Energy)
    # Rests of 2.0, 2.4, 2.8 and 3.2 W around rounds of 5.4, 5.8 and 6.2 W.
    assert energy.net_microjoules == pytest.approx([(5.4 - 2.2) * 500, (5.8 - 2.6) * 500, (6.2 - 3.0) * 500])


def test_no_net_energy_if_work_and_rest_take_the_same() -> None:
    machine = Machine(idle=2.0, busy=2.0)
    energy = measure_energy(
        meter_of(lambda: {"all": machine.watts}, "power"), machine.work, clock=machine.clock, rest=machine.rest
    )
    assert isinstance(energy, Energy)
    found = energy.to_dict()
    per_inference = found["microjoules_per_inference"]
    assert isinstance(per_inference, dict)
    assert (per_inference["gross"], per_inference["net"]) == (pytest.approx(1000), None)
    assert found["note"]


def test_a_sensor_that_stops_answering() -> None:
    machine = Machine(idle=2.0, busy=5.0)
    answers = 0

    def read() -> Mapping[str, float]:
        nonlocal answers
        answers += 1
        if answers > 5:
            raise OSError(121, "Remote I/O error")
        return {"all": machine.joules * 1e6}

    found = measure_energy(meter_of(read), machine.work, clock=machine.clock, rest=machine.rest)
    assert isinstance(found, NoMeter)
    assert found.present
    assert "Remote I/O error" in found.reason


def test_rounds_too_short_for_the_sensor(tmp_path: Path) -> None:
    root = unpack("raspberry-pi-5", tmp_path)
    meter = open_meter(root)
    assert isinstance(meter, Meter)
    found = measure_energy(meter, lambda: 1, Plan(seconds=0.5))
    assert isinstance(found, NoMeter)
    assert "0.5 s" in found.reason and "--meter pmic" in found.reason


@given(
    wraps_at=st.integers(1_000_000, 2**32),
    start=st.integers(0, 2**32),
    steps=st.lists(st.floats(0, 0.99), min_size=1, max_size=50),
)
def test_counters_are_followed_through_their_wraps(wraps_at: int, start: int, steps: list[float]) -> None:
    counted, taken = start % wraps_at, 0
    recording = Recording(meter_of(dict, wraps_at=wraps_at))
    recording.add(0.0, {"all": counted})
    for second, step in enumerate(steps, 1):
        more = int(step * wraps_at)
        counted, taken = (counted + more) % wraps_at, taken + more
        recording.add(float(second), {"all": counted})
    assert recording.recorded.joules["all"] == pytest.approx(taken * 1e-6, abs=1e-9)
    assert (recording.recorded.seconds, recording.recorded.readings) == (len(steps), len(steps) + 1)


@given(st.floats(0, 100), st.floats(0, 100), st.lists(st.floats(0.001, 10), min_size=1, max_size=30))
def test_linear_power_is_integrated_exactly(first: float, slope: float, steps: list[float]) -> None:
    recording, now = Recording(meter_of(dict, "power")), 0.0
    recording.add(now, {"all": first})
    for step in steps:
        now += step
        recording.add(now, {"all": first + slope * now})
    assert recording.recorded.joules["all"] == pytest.approx(first * now + slope * now**2 / 2)


def test_a_recording_reads_repeatedly() -> None:
    enough, readings = threading.Event(), 0

    def read() -> Mapping[str, float]:
        nonlocal readings
        readings += 1
        if readings >= 5:
            enough.set()
        return {"all": 1.0}

    meter = Meter("synthetic", "", "power", read, ("all",), ("all",), interval_seconds=0.001)
    with Recording(meter) as recording:
        assert enough.wait(30)
    assert recording.recorded.readings == readings >= 5
    assert recording.recorded.watts(("all",)) == pytest.approx(1.0)


def test_an_error_in_the_work_ends_the_recording() -> None:
    def work() -> int:
        raise RuntimeError("the engine died")

    with pytest.raises(RuntimeError, match="died"):
        measure_energy(meter_of(lambda: {"all": 1.0}), work, Plan(seconds=1.0), rest=float)
    assert all(thread.name != "energy" for thread in threading.enumerate())


def test_rapl_sums_packages_and_memory_without_cores(tmp_path: Path) -> None:
    zones = {"0": "package-0", "0:0": "core", "0:1": "dram", "1": "package-1", "1:0": "core", "1:1": "dram"}
    for number, (zone, name) in enumerate(zones.items()):
        folder = f"sys/class/powercap/intel-rapl:{zone}"
        write(tmp_path, f"{folder}/name", f"{name}\n")
        write(tmp_path, f"{folder}/energy_uj", f"{number}\n")
        write(tmp_path, f"{folder}/max_energy_range_uj", "262143328850\n")
    meter = open_meter(tmp_path)
    assert isinstance(meter, Meter)
    assert meter.total == ("package-0", "package-1", "package-0/dram", "package-1/dram")
    assert meter.read()["package-1/core"] == 4
    assert meter.wraps_at["package-0"] == 262143328850


def test_rapl_that_only_root_may_read(tmp_path: Path) -> None:
    root = unpack("x86-laptop", tmp_path)
    for zone in ("0", "0:0", "0:1", "1"):
        file = root / f"sys/class/powercap/intel-rapl:{zone}/energy_uj"
        file.unlink()
        # A folder in place of a file without permission: both raise OSError.
        file.mkdir()
    found = open_meter(root)
    assert isinstance(found, NoMeter)
    assert "/sys/class/powercap/intel-rapl:0/energy_uj: " in found.reason
    assert "battery" in found.reason
    assert found.to_dict() == {"available": False, "reason": found.reason}


def test_power_of_a_discharging_battery(tmp_path: Path) -> None:
    root = unpack("x86-laptop", tmp_path)
    battery = "sys/class/power_supply/BAT0"
    write(root, f"{battery}/status", "Discharging\n")
    write(root, f"{battery}/power_now", "6500000\n")
    meter = open_meter(root, "battery")
    assert isinstance(meter, Meter)
    assert meter.read() == {"BAT0": pytest.approx(6.5)}
    (root / battery / "power_now").unlink()
    write(root, f"{battery}/current_now", "-500000\n")
    write(root, f"{battery}/voltage_now", "12000000\n")
    other = open_meter(root, "battery")
    assert isinstance(other, Meter)
    assert other.read() == {"BAT0": pytest.approx(6.0)}
    write(root, f"{battery}/status", "Charging\n")
    with pytest.raises(ValueError, match="discharging"):
        other.read()


def test_processor_rails_of_an_agx_orin(tmp_path: Path) -> None:
    root = unpack("jetson-orin", tmp_path)
    for number, label in enumerate(("VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"), 1):
        write(root, f"sys/class/hwmon/hwmon1/in{number}_label", f"{label}\n")
    meter = open_meter(root)
    assert isinstance(meter, Meter)
    assert (meter.name, meter.total) == ("jetson", ("VDD_GPU_SOC", "VDD_CPU_CV"))
    assert meter.scope.endswith("processor and graphics, not the whole module")
    assert set(meter.channels) == {"VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"}


def test_rails_of_an_older_jetson(tmp_path: Path) -> None:
    write(tmp_path, "proc/device-tree/compatible", "nvidia,p3450-0000\\0nvidia,tegra210")
    folder = "sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0"
    for number, (label, milliwatts) in enumerate({"POM_5V_IN": 2100, "POM_5V_GPU": 40, "POM_5V_CPU": 500}.items()):
        write(tmp_path, f"{folder}/rail_name_{number}", f"{label}\n")
        write(tmp_path, f"{folder}/in_power{number}_input", f"{milliwatts}\n")
    meter = open_meter(tmp_path)
    assert isinstance(meter, Meter)
    assert (meter.total, meter.read()["POM_5V_IN"]) == (("POM_5V_IN",), pytest.approx(2.1))


def ina219(root: Path, number: int, microwatts: int) -> None:
    folder = f"sys/class/hwmon/hwmon{number}"
    write(root, f"{folder}/name", "ina219\n")
    write(root, f"{folder}/in1_input", "5100\n")
    write(root, f"{folder}/curr1_input", "400\n")
    write(root, f"{folder}/power1_input", f"{microwatts}\n")


def test_a_single_ina219_is_the_meter(tmp_path: Path) -> None:
    root = unpack("raspberry-pi-4", tmp_path)
    ina219(root, 3, 2_040_000)
    meter = open_meter(root)
    assert isinstance(meter, Meter)
    assert (meter.name, meter.total) == ("ina", ("ina219 hwmon3",))
    assert meter.read() == {"ina219 hwmon3": pytest.approx(2.04)}


def test_one_of_several_sensors_must_be_named(tmp_path: Path) -> None:
    ina219(tmp_path, 3, 2_040_000)
    ina219(tmp_path, 4, 900_000)
    write(tmp_path, "sys/class/hwmon/hwmon4/label", "supply\n")
    found = open_meter(tmp_path)
    assert isinstance(found, NoMeter)
    assert "--meter: ina:ina219 hwmon3, ina:supply" in found.reason
    meter = open_meter(tmp_path, "ina:supply")
    assert isinstance(meter, Meter)
    assert (meter.total, meter.read()["supply"]) == (("supply",), pytest.approx(0.9))


def test_unknown_meters_and_channels(tmp_path: Path) -> None:
    ina219(tmp_path, 3, 1)
    with pytest.raises(UnknownName, match=r"solar.*jetson, ina, pmic, rapl, battery"):
        open_meter(tmp_path, "solar")
    with pytest.raises(UnknownName, match=r"ina 'x'.*ina219 hwmon3"):
        open_meter(tmp_path, "ina:x")
    for wanted in ("rapl", "rapl:package-0"):
        found = open_meter(tmp_path, wanted)
        assert isinstance(found, NoMeter)
        assert not found.present


def test_a_machine_without_sensors(tmp_path: Path) -> None:
    found = open_meter(tmp_path)
    assert isinstance(found, NoMeter)
    assert (found.reason.split(":")[0], found.present) == ("not available on this board", False)


def test_this_machine_has_a_meter_or_a_reason() -> None:
    found = open_meter()
    assert found.reason if isinstance(found, NoMeter) else found.name in METERS


@given(st.text(max_size=200))
def test_rails_of_any_text(text: str) -> None:
    assert all(watts >= 0 for watts in parse_rails(text).values())


def test_rails_are_paired_by_name() -> None:
    text = " A_A current(0)=0.5A\n B_A current(1)=2A\n B_V volt(0)=3.3V\n EXT5V_V volt(24)=5V\n A_V volt(9)=1.5V\n"
    assert parse_rails(text) == {"A": 0.75, "B": 6.6}
