"""What is read from recorded machines, whole, and what is made of files that hold something else."""

import json
import platform
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgedigits.benchmarking.comparable import comparable
from edgedigits.benchmarking.energy import METERS, Meter, open_meter
from edgedigits.benchmarking.fingerprint import Course, fingerprint, snapshot
from edgedigits.benchmarking.fingerprint.board import name_of_dmi
from edgedigits.benchmarking.fingerprint.cpuinfo import (
    CpuInfo,
    architecture,
    core_list,
    features,
    model,
    parse_core_list,
    parse_cpuinfo,
)
from edgedigits.benchmarking.fingerprint.environment import emulator_by_platform, name_of_hypervisor
from edgedigits.benchmarking.fingerprint.heat import parse_flags
from edgedigits.benchmarking.fingerprint.load import parse_averages, parse_cpu_line, parse_own_ticks
from edgedigits.benchmarking.fingerprint.power import jetson_mode
from edgedigits.benchmarking.fingerprint.software import pretty_name
from edgedigits.benchmarking.fingerprint.tree import Tree
from edgedigits_runtime.engines.engine import EngineReport
from edgedigits_runtime.machine import core_count
from tests.support.recorded_machines import MACHINES, NAMES, unpack, write

OF_THIS_PROCESS = ("libc", "python", "libraries")


@pytest.mark.parametrize("name", NAMES)
def test_all_that_is_read_from_a_recorded_machine(name: str, tmp_path: Path) -> None:
    root = unpack(name, tmp_path)
    told, now, meter = fingerprint(root), snapshot(root), open_meter(root)
    found: dict[str, Any] = {
        "fingerprint": told.to_dict(),
        "conditions": now.to_dict(),
        "comparable": comparable(told, Course(now, (now, now, now), now)).to_dict(),
        "meter": {
            "name": meter.name,
            "scope": meter.scope,
            "total": list(meter.total),
            "now": dict(meter.read()),
            "skipped": list(meter.skipped),
        }
        if isinstance(meter, Meter)
        else {"reason": meter.reason},
    }
    for key in OF_THIS_PROCESS:
        del found["fingerprint"]["software"][key]
    del found["conditions"]["at_seconds"]
    assert found == json.loads((MACHINES / f"{name}.json").read_text())


@pytest.mark.parametrize("name", NAMES)
def test_no_serial_number_is_told(name: str, tmp_path: Path) -> None:
    root = unpack(name, tmp_path)
    write(root, "proc/device-tree/serial-number", "10000000deadbeef")
    write(root, "etc/hostname", "somebodys-own")
    told = json.dumps([fingerprint(root).to_dict(), snapshot(root).to_dict()])
    assert "deadbeef" not in told
    assert "somebodys" not in told


def test_this_machine() -> None:
    told = fingerprint(engines={"litert": EngineReport("2.3.0", ("XNNPACK",))})
    assert json.loads(json.dumps(told.to_dict())) == told.to_dict()
    assert told.processor.architecture == platform.machine()
    assert told.processor.usable == core_count()
    assert told.software.python.startswith(f"{platform.python_implementation()} {platform.python_version()}, ")
    assert told.software.system == f"{platform.system()} {platform.release()}"
    assert told.software.to_dict()["engines"] == {"litert": {"version": "2.3.0", "providers": ["XNNPACK"]}}
    first, second = snapshot(), snapshot()
    assert second.at_seconds >= first.at_seconds
    course = Course(first, (first,), second)
    assert json.loads(json.dumps(course.to_dict())) == course.to_dict()
    verdict = comparable(told, course)
    assert verdict.yes == (not verdict.reasons)


def test_a_machine_that_tells_nothing(tmp_path: Path) -> None:
    told, now = fingerprint(tmp_path), snapshot(tmp_path)
    assert (told.board, told.processor.model, told.processor.cores, told.skipped) == (None, None, None, ())
    assert told.processor.features == ()
    assert told.software.system == "unknown"
    assert (told.environment.container, told.environment.virtual_machine, told.environment.emulator) == (None,) * 3
    assert (now.temperatures, now.clocks.fastest_mhz, now.load.ticks, now.skipped) == ({}, None, None, ())
    verdict = comparable(told, Course(now, (), now))
    assert (verdict.yes, verdict.unseen) == (True, ("clock", "throttling", "load"))


FILES = {name: sorted(p for p in (MACHINES / f"{name}.txtar").read_text().split("\n-- ")[1:]) for name in NAMES}
PATHS = {name: [part.split(" ")[0] for part in parts] for name, parts in FILES.items()}
# What is hard to read: no text, no number, huge ones, and the characters by which the formats are taken apart.
GARBAGE = st.one_of(
    st.binary(max_size=80),
    st.text(alphabet="0123456789 .:-=\n\tcpu\0", max_size=80).map(str.encode),
    st.sampled_from([b"", b"-1", b"99999999999999999999999", b"nan", b"1_000", "１２".encode(), b"\xff\xfe"]),
)


@pytest.mark.slow
@settings(max_examples=100)
@given(st.data())
def test_files_that_hold_anything_at_all_stop_nothing(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(NAMES))
    # Not the programs: garbage is not run.
    paths = [path for path in PATHS[name] if not path.startswith("usr/bin/")]
    broken = data.draw(st.dictionaries(st.sampled_from(paths), GARBAGE, max_size=12))
    with tempfile.TemporaryDirectory() as folder:
        root = unpack(name, Path(folder))
        for path, content in broken.items():
            if not (root / path).is_dir():
                (root / path).write_bytes(content)
        told, now = fingerprint(root), snapshot(root)
        course = Course(now, (now, snapshot(root)), snapshot(root))
        json.dumps([told.to_dict(), course.to_dict(), comparable(told, course).to_dict()], allow_nan=False)
        for wanted in (None, *METERS):
            open_meter(root, wanted)


@given(st.text(max_size=300))
def test_parsers_take_any_text(text: str) -> None:
    info = parse_cpuinfo(text)
    features(info)
    model(info)
    assert architecture(info) in (None, "x86_64", "x86", "aarch64", "arm", "riscv64")
    assert all(core >= 0 for core in parse_core_list(text))
    assert jetson_mode(text, text) is None or "pmode:" in text
    for parse in (parse_averages, parse_cpu_line, parse_flags, parse_own_ticks, pretty_name):
        parse(text)


@given(st.integers(0, 0xFFFFFFFF))
def test_flags_are_read_as_both_sources_write_them(flags: int) -> None:
    assert parse_flags(f"throttled={flags:#x}") == parse_flags(f"{flags:x}\n") == flags


@given(st.sets(st.integers(0, 300)))
def test_lists_of_cores_are_read_as_they_are_written(cores: set[int]) -> None:
    assert parse_core_list(core_list(sorted(cores))) == tuple(sorted(cores))


@given(st.lists(st.integers(0, 10**15), min_size=4, max_size=10))
def test_ticks_of_all_cores_add_up(counts: list[int]) -> None:
    line = "cpu  " + " ".join(map(str, counts))
    found = parse_cpu_line(f"{line}\ncpu0 1 2 3 4\n")
    if sum(counts[:8]) == 0:
        assert found is None
    else:
        assert found is not None
        total, busy, stolen = found
        assert total == sum(counts[:8])
        assert total == busy + stolen + counts[3] + (counts[4] if len(counts) > 4 else 0)


def test_a_programs_name_may_look_like_its_other_fields() -> None:
    assert parse_own_ticks("7 (a) R 1 2) R 1 7 1 0 -1 4194304 98 0 0 0 11 12 13 14 20 0") == 50
    assert parse_own_ticks("7 (a) R 1 7 1 0 -1 4194304 98 0 0 0 11 12 x 14 20 0") is None


def test_two_kinds_of_cores_are_both_named() -> None:
    def core(part: str) -> dict[str, str]:
        return {"processor": "0", "CPU implementer": "0x41", "CPU part": part, "Features": "asimd asimddp i8mm"}

    info = CpuInfo((*[core("0xd05")] * 4, *[core("0xd0b")] * 4), {})
    assert model(info) == "4 x Cortex-A55 + 4 x Cortex-A76"
    assert model(CpuInfo((core("0xfff"),), {})) == "Arm part 0xfff"
    assert features(info) == ("neon", "dotprod", "i8mm")


def test_features_are_those_that_all_cores_have() -> None:
    cores = ({"processor": "0", "Features": "asimd asimddp"}, {"processor": "1", "Features": "asimd"})
    assert features(CpuInfo(cores, {})) == ("neon",)


def test_vectors_of_riscv() -> None:
    assert features(parse_cpuinfo("processor\t: 0\nisa\t\t: rv64imafdcv_zicbom_zve32f\n")) == ("rvv",)
    assert features(parse_cpuinfo("processor\t: 0\nisa\t\t: rv64imafdc_zvl\n")) == ()


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        (("HP", "HP EliteBook 840 G8", "", "880D"), "HP EliteBook 840 G8"),
        (("ASUS", "System Product Name", "System Version", "PRIME B450M-A"), "ASUS PRIME B450M-A"),
        (("To Be Filled By O.E.M.", "To Be Filled By O.E.M.", None, "B450 Pro4"), "B450 Pro4"),
        (("Default string", "Default string", "Default string", "Default string"), None),
        ((None, None, None, None), None),
    ],
)
def test_names_of_boards(fields: tuple[str | None, ...], name: str | None) -> None:
    assert name_of_dmi(*fields) == name


@pytest.mark.parametrize(
    ("dmi", "shown", "node", "clocks", "name"),
    [
        (["Standard PC", "QEMU", "", "SeaBIOS"], None, None, "", "QEMU"),
        (["VirtualBox", "innotek GmbH", "", ""], True, None, "tsc", "VirtualBox"),
        (["Virtual Machine", "Microsoft Corporation", "", ""], True, None, "", "Hyper-V"),
        (["Surface Pro", "Microsoft Corporation", "", ""], False, None, "tsc", None),
        (["c5.large", "Amazon EC2", "", ""], True, None, "kvm-clock", "Amazon EC2"),
        (["c5.metal", "Amazon EC2", "", ""], False, None, "tsc", None),
        (["c7g.metal", "Amazon EC2", "", ""], None, None, "", None),
        (["c7g.large", "Amazon EC2", "", ""], None, None, "", "Amazon EC2"),
        (["", "", "", ""], True, None, "tsc kvm-clock", "KVM"),
        (["", "", "", ""], True, None, "tsc", "unnamed hypervisor"),
        (["", "", "", ""], None, "KVM", "arch_sys_counter", "KVM"),
        (["", "", "", ""], None, None, "arch_sys_counter", None),
    ],
)
def test_names_of_hypervisors(dmi: list[str], shown: bool | None, node: str | None, clocks: str, name: str) -> None:
    assert name_of_hypervisor(dmi, shown=shown, node=node, clocks=clocks) == name


@pytest.mark.parametrize(
    ("path", "content", "name"),
    [
        ("run/.containerenv", "", "Podman"),
        ("run/systemd/container", "lxc", "LXC"),
        ("proc/1/cgroup", "12:cpu:/docker/0123abcd\n", "Docker"),
        ("proc/self/cgroup", "0::/kubepods.slice/pod1\n", "Kubernetes"),
    ],
)
def test_containers_by_what_they_leave(path: str, content: str, name: str, tmp_path: Path) -> None:
    write(tmp_path, path, content)
    assert fingerprint(tmp_path).environment.container == name


@pytest.mark.parametrize(
    ("path", "content", "name"),
    [
        ("sys/hypervisor/type", "xen", "Xen"),
        ("proc/sys/kernel/osrelease", "5.15.153.1-microsoft-standard-WSL2", "WSL 2 (Hyper-V)"),
        ("proc/device-tree/hypervisor/compatible", "xen,xen-4.17\\0xen,xen", "Xen"),
        ("proc/device-tree/hypervisor/compatible", "linux,kvm", "KVM"),
        ("proc/device-tree/model", "linux,dummy-virt", "QEMU"),
    ],
)
def test_virtual_machines_by_what_they_show(path: str, content: str, name: str, tmp_path: Path) -> None:
    write(tmp_path, path, content)
    assert fingerprint(tmp_path).environment.virtual_machine == name


def test_the_first_domain_of_xen_is_no_guest(tmp_path: Path) -> None:
    write(tmp_path, "sys/hypervisor/type", "xen")
    write(tmp_path, "proc/xen/capabilities", "control_d")
    assert fingerprint(tmp_path).environment.virtual_machine is None


def test_an_emulator_is_betrayed_by_the_thread(tmp_path: Path) -> None:
    root = unpack("raspberry-pi-4", tmp_path)
    (root / "proc/thread-self").mkdir()
    (root / "proc/thread-self/exe").symlink_to("/usr/bin/qemu-aarch64-static")
    told = fingerprint(root)
    assert told.environment.emulator == "QEMU"
    assert told.processor.highest_mhz is None


def test_an_emulator_is_betrayed_by_the_processor_beneath(tmp_path: Path) -> None:
    root = unpack("x86-laptop", tmp_path)
    told = fingerprint(root, machine="aarch64")
    assert told.environment.emulator == "unnamed emulator of aarch64 on x86_64"
    assert (told.processor.architecture, told.processor.model, told.processor.features) == ("aarch64", None, ())
    assert "/proc/cpuinfo: tells of the x86_64 processor beneath the emulated aarch64" in told.skipped
    now = snapshot(root)
    verdict = comparable(told, Course(now, (now,), now))
    assert (verdict.yes, verdict.reasons) == (False, ("emulated by unnamed emulator of aarch64 on x86_64",))


def test_32_bit_programs_on_a_64_bit_kernel_are_no_emulation(tmp_path: Path) -> None:
    assert fingerprint(unpack("x86-laptop", tmp_path / "a"), machine="i686").environment.emulator is None
    assert fingerprint(unpack("raspberry-pi-4", tmp_path / "b"), machine="armv7l").environment.emulator is None


@pytest.mark.parametrize(
    ("cpuinfo", "name"),
    [
        ("model name : QEMU TCG CPU version 2.5+\nflags : fpu lm", "QEMU"),
        ("model name : VirtualApple @ 2.50GHz\nflags : fpu lm", "Rosetta"),
        ("Features : fp asimd\nCPU implementer : 0x00\nCPU part : 0x051", "QEMU"),
    ],
)
def test_emulated_processors_by_their_names(cpuinfo: str, name: str, tmp_path: Path) -> None:
    write(tmp_path, "proc/cpuinfo", f"processor : 0\n{cpuinfo}\n\n")
    assert fingerprint(tmp_path).environment.emulator == name


def test_emulation_under_macos_and_windows() -> None:
    mac = "Darwin Kernel Version 23.6.0: root:xnu-10063.141.2~1/RELEASE_ARM64_T8103"
    assert emulator_by_platform("x86_64", mac, "i386") == "Rosetta"
    assert emulator_by_platform("arm64", mac, "arm") is None
    assert emulator_by_platform("AMD64", "10.0.22631", "ARMv8 (64-bit) Family 8 Model 1") == "Windows on Arm"
    assert emulator_by_platform("AMD64", "10.0.22631", "Intel64 Family 6 Model 140") is None


def test_the_least_quota_along_the_path_of_a_control_group_counts(tmp_path: Path) -> None:
    write(tmp_path, "proc/self/cgroup", "0::/a.slice/b.scope\n")
    write(tmp_path, "sys/fs/cgroup/a.slice/cpu.max", "50000 100000\n")
    write(tmp_path, "sys/fs/cgroup/a.slice/b.scope/cpu.max", "max 100000\n")
    assert fingerprint(tmp_path).environment.cpu_quota == 0.5


def test_the_quota_of_the_first_version_of_control_groups(tmp_path: Path) -> None:
    write(tmp_path, "proc/self/cgroup", "4:cpu,cpuacct:/docker/12\n3:memory:/docker/12\n")
    write(tmp_path, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n")
    write(tmp_path, "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n")
    assert fingerprint(tmp_path).environment.cpu_quota is None
    write(tmp_path, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "200000\n")
    assert fingerprint(tmp_path).environment.cpu_quota == 2.0


def test_sensors_that_cannot_be_believed_are_said(tmp_path: Path) -> None:
    root = unpack("raspberry-pi-4", tmp_path)
    write(root, "sys/class/thermal/thermal_zone0/temp", "-274000\n")
    write(root, "sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq", "<unknown>\n")
    write(root, "usr/bin/vcgencmd", "#!/bin/sh\necho 'VCHI initialization failed' >&2; exit 1\n")
    now = snapshot(root)
    assert (now.temperatures, now.clocks.fastest_mhz, now.throttling.flags) == ({}, None, None)
    assert now.skipped == (
        "/sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq: '<unknown>' is no whole number",
        "/sys/class/thermal/thermal_zone0/temp: -274 degrees Celsius cannot be",
        "/usr/bin/vcgencmd get_throttled: VCHI initialization failed",
    )


def test_flags_by_the_kernel_where_there_is_no_vcgencmd(tmp_path: Path) -> None:
    write(tmp_path, "sys/devices/platform/soc/soc:firmware/get_throttled", "50005\n")
    throttling = snapshot(tmp_path).throttling
    assert throttling.now == ("under-voltage", "throttled")
    assert throttling.since_start == ("under-voltage", "throttled")


def test_a_voltage_alarm_alone_does_not_show_throttling(tmp_path: Path) -> None:
    write(tmp_path, "sys/class/hwmon/hwmon1/name", "rpi_volt\n")
    write(tmp_path, "sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n")
    throttling = snapshot(tmp_path).throttling
    assert (throttling.now, throttling.visible) == (("under-voltage",), False)


def test_cores_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for number in (10, 2, 0):
        write(tmp_path, f"sys/x/cpu{number}/y", "")
    assert Tree(tmp_path).paths("sys/x/cpu*/y") == ["sys/x/cpu0/y", "sys/x/cpu2/y", "sys/x/cpu10/y"]
