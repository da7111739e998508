"""Fingerprints and conditions of recorded machines, and of files with other content."""

import json
import platform
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgedigits.benchmarking.comparable import comparable
from edgedigits.benchmarking.energy.meters import METERS, Meter, open_meter
from edgedigits.benchmarking.results.result_file import plain
from edgedigits.machine.conditions import Course, Ticks, jetson_mode, read_load, snapshot
from edgedigits.machine.environment import emulator_by_platform, name_of_hypervisor
from edgedigits.machine.fingerprint import fingerprint, name_of_dmi, pretty_name
from edgedigits.machine.processor import (
    CpuInfo,
    architecture,
    core_list,
    features,
    model,
    parse_cpuinfo,
)
from edgedigits.machine.throttling import parse_flags
from edgedigits.machine.tree import Tree
from edgedigits_runtime.engines.engine import EngineReport
from edgedigits_runtime.machine import core_count
from tests.support.recorded_machines import (
    MACHINES,
    NAMES,
    RecordedSystem,
    core_numbers,
    fingerprint_of,
    snapshot_of,
    unpack,
    write,
)

OF_THIS_PROCESS = ("libc", "python", "libraries")


@pytest.mark.parametrize("name", NAMES)
def test_description_of_a_recorded_machine(name: str, tmp_path: Path) -> None:
    root = unpack(name, tmp_path)
    described, now, meter = fingerprint_of(root), snapshot_of(root), open_meter(root)
    found: dict[str, Any] = {
        "fingerprint": described.to_dict(),
        "conditions": now.to_dict(),
        "comparable": comparable(described, Course(now, (now, now, now), now)).to_dict(),
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
    found = plain(found)
    for key in OF_THIS_PROCESS:
        del found["fingerprint"]["software"][key]
    del found["conditions"]["at_seconds"]
    assert found == json.loads((MACHINES / f"{name}.json").read_text())


@pytest.mark.parametrize("name", NAMES)
def test_no_serial_number_is_read(name: str, tmp_path: Path) -> None:
    root = unpack(name, tmp_path)
    write(root, "proc/device-tree/serial-number", "10000000deadbeef")
    write(root, "etc/hostname", "somebodys-own")
    described = json.dumps([fingerprint_of(root).to_dict(), snapshot_of(root).to_dict()])
    assert "deadbeef" not in described
    assert "somebodys" not in described


def test_this_machine() -> None:
    described = fingerprint(engines={"litert": EngineReport("2.3.0", ("XNNPACK",))})
    assert plain(described.to_dict())["environment"]
    assert described.processor.architecture == platform.machine()
    assert described.processor.usable == core_count()
    assert described.software.python.startswith(f"{platform.python_implementation()} {platform.python_version()}, ")
    assert described.software.system == f"{platform.system()} {platform.release()}"
    assert described.software.engines == {"litert": {"version": "2.3.0", "providers": ("XNNPACK",)}}
    first, second = snapshot(), snapshot()
    assert second.at_seconds >= first.at_seconds
    course = Course(first, (first,), second)
    assert plain(course.to_dict())["during"]["samples"] == 1
    verdict = comparable(described, course)
    assert verdict.yes == (not verdict.reasons)


def test_an_empty_tree(tmp_path: Path) -> None:
    described, now = fingerprint_of(tmp_path), snapshot_of(tmp_path)
    assert (described.board, described.processor.model, described.processor.cores, described.skipped) == (
        None,
        None,
        None,
        (),
    )
    assert described.processor.features == ()
    assert described.software.system == "unknown"
    assert (described.environment.container, described.environment.virtual_machine, described.environment.emulator) == (
        None,
    ) * 3
    assert (now.temperatures, now.clocks.fastest_mhz, now.load.ticks, now.skipped) == ({}, None, None, ())
    verdict = comparable(described, Course(now, (), now))
    assert (verdict.yes, verdict.unseen) == (True, ("clock", "throttling", "load"))


FILES = {name: sorted(p for p in (MACHINES / f"{name}.txtar").read_text().split("\n-- ")[1:]) for name in NAMES}
PATHS = {name: [part.split(" ")[0] for part in parts] for name, parts in FILES.items()}
# Content that is hard to parse: no text, no number, huge numbers, and the separators of the formats.
GARBAGE = st.one_of(
    st.binary(max_size=80),
    st.text(alphabet="0123456789 .:-=\n\tcpu\0", max_size=80).map(str.encode),
    st.sampled_from([b"", b"-1", b"99999999999999999999999", b"nan", b"1_000", "１２".encode(), b"\xff\xfe"]),
)


@pytest.mark.slow
@settings(max_examples=100)
@given(st.data())
def test_files_of_any_content_raise_no_error(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(NAMES))
    # Without the programs, which would be run.
    paths = [path for path in PATHS[name] if not path.startswith("usr/bin/")]
    broken = data.draw(st.dictionaries(st.sampled_from(paths), GARBAGE, max_size=12))
    with tempfile.TemporaryDirectory() as folder:
        root = unpack(name, Path(folder))
        for path, content in broken.items():
            if not (root / path).is_dir():
                (root / path).write_bytes(content)
        described, now = fingerprint_of(root), snapshot_of(root)
        course = Course(now, (now, snapshot_of(root)), snapshot_of(root))
        json.dumps([described.to_dict(), course.to_dict(), comparable(described, course).to_dict()], allow_nan=False)
        for wanted in (None, *METERS):
            open_meter(root, wanted)


@given(st.text(max_size=300))
def test_parsers_accept_any_text(text: str) -> None:
    info = parse_cpuinfo(text)
    features(info)
    model(info)
    assert architecture(info) in (None, "x86_64", "x86", "aarch64", "arm", "riscv64")
    assert jetson_mode(text, text) is None or "pmode:" in text
    for parse in (parse_flags, pretty_name):
        parse(text)


@given(st.integers(0, 0xFFFFFFFF))
def test_flags_of_vcgencmd_and_of_the_kernel(flags: int) -> None:
    assert parse_flags(f"throttled={flags:#x}") == parse_flags(f"{flags:x}\n") == flags


@given(st.sets(st.integers(0, 300)))
def test_lists_of_cores(cores: set[int]) -> None:
    assert core_numbers(core_list(sorted(cores))) == tuple(sorted(cores))


def load_of(root: Path, stat: str, own: str) -> Ticks | None:
    write(root, "proc/stat", stat)
    write(root, "proc/self/stat", own)
    return read_load(Tree(root), RecordedSystem(root)).ticks


def test_ticks_by_user(tmp_path: Path) -> None:
    own = "7 (a) R 1 2) R 1 7 1 0 -1 4194304 98 0 0 0 11 12 13 14 20 0"
    stat = "cpu  100 20 30 400 50 6 7 8 90 1\ncpu0 1 2 3 4\n"
    assert load_of(tmp_path, stat, own) == Ticks(total=621, busy=163, stolen=8, own=50)
    assert load_of(tmp_path, "cpu  0 0 0 0\n", own) is None
    assert load_of(tmp_path, stat, own.replace("13", "x")) is None


def test_both_kinds_of_cores_are_named() -> None:
    def core(part: str) -> dict[str, str]:
        return {"processor": "0", "CPU implementer": "0x41", "CPU part": part, "Features": "asimd asimddp i8mm"}

    info = CpuInfo((*[core("0xd05")] * 4, *[core("0xd0b")] * 4))
    assert model(info) == "4 x Cortex-A55 + 4 x Cortex-A76"
    assert model(CpuInfo((core("0xfff"),))) == "Arm part 0xfff"
    assert features(info) == ("neon", "dotprod", "i8mm")


def test_features_are_common_to_all_cores() -> None:
    cores = ({"processor": "0", "Features": "asimd asimddp"}, {"processor": "1", "Features": "asimd"})
    assert features(CpuInfo(cores)) == ("neon",)


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
    ("dmi", "flagged", "node", "clocks", "name"),
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
def test_names_of_hypervisors(dmi: list[str], flagged: bool | None, node: str | None, clocks: str, name: str) -> None:
    assert name_of_hypervisor(dmi, flagged=flagged, node=node, clocks=clocks) == name


@pytest.mark.parametrize(
    ("path", "content", "name"),
    [
        ("run/.containerenv", "", "Podman"),
        ("run/systemd/container", "lxc", "LXC"),
        ("proc/1/cgroup", "12:cpu:/docker/0123abcd\n", "Docker"),
        ("proc/self/cgroup", "0::/kubepods.slice/pod1\n", "Kubernetes"),
    ],
)
def test_traces_of_containers(path: str, content: str, name: str, tmp_path: Path) -> None:
    write(tmp_path, path, content)
    assert fingerprint_of(tmp_path).environment.container == name


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
def test_traces_of_virtual_machines(path: str, content: str, name: str, tmp_path: Path) -> None:
    write(tmp_path, path, content)
    assert fingerprint_of(tmp_path).environment.virtual_machine == name


def test_the_first_domain_of_xen_is_not_virtual(tmp_path: Path) -> None:
    write(tmp_path, "sys/hypervisor/type", "xen")
    write(tmp_path, "proc/xen/capabilities", "control_d")
    assert fingerprint_of(tmp_path).environment.virtual_machine is None


def test_an_emulator_is_detected_by_its_program(tmp_path: Path) -> None:
    root = unpack("raspberry-pi-4", tmp_path)
    (root / "proc/thread-self").mkdir()
    (root / "proc/thread-self/exe").symlink_to("/usr/bin/qemu-aarch64-static")
    described = fingerprint_of(root)
    assert described.environment.emulator == "QEMU"
    assert described.processor.highest_mhz is None


def test_an_emulator_is_detected_by_the_processor(tmp_path: Path) -> None:
    root = unpack("x86-laptop", tmp_path)
    described = fingerprint_of(root, machine="aarch64")
    assert described.environment.emulator == "unnamed emulator of aarch64 on x86_64"
    assert (described.processor.architecture, described.processor.model, described.processor.features) == (
        "aarch64",
        None,
        (),
    )
    assert any(line.startswith("/proc/cpuinfo: ") and "x86_64" in line for line in described.skipped)
    now = snapshot_of(root)
    verdict = comparable(described, Course(now, (now,), now))
    assert (verdict.yes, verdict.reasons) == (False, ("emulated by unnamed emulator of aarch64 on x86_64",))


def test_32_bit_programs_on_a_64_bit_kernel_are_not_emulated(tmp_path: Path) -> None:
    assert fingerprint_of(unpack("x86-laptop", tmp_path / "a"), machine="i686").environment.emulator is None
    assert fingerprint_of(unpack("raspberry-pi-4", tmp_path / "b"), machine="armv7l").environment.emulator is None


@pytest.mark.parametrize(
    ("cpuinfo", "name"),
    [
        ("model name : QEMU TCG CPU version 2.5+\nflags : fpu lm", "QEMU"),
        ("model name : VirtualApple @ 2.50GHz\nflags : fpu lm", "Rosetta"),
        ("Features : fp asimd\nCPU implementer : 0x00\nCPU part : 0x051", "QEMU"),
    ],
)
def test_names_of_emulated_processors(cpuinfo: str, name: str, tmp_path: Path) -> None:
    write(tmp_path, "proc/cpuinfo", f"processor : 0\n{cpuinfo}\n\n")
    assert fingerprint_of(tmp_path).environment.emulator == name


def test_emulation_under_macos_and_windows() -> None:
    mac = "Darwin Kernel Version 23.6.0: root:xnu-10063.141.2~1/RELEASE_ARM64_T8103"
    assert emulator_by_platform("x86_64", mac, "i386") == "Rosetta"
    assert emulator_by_platform("arm64", mac, "arm") is None
    assert emulator_by_platform("AMD64", "10.0.22631", "ARMv8 (64-bit) Family 8 Model 1") == "Windows on Arm"
    assert emulator_by_platform("AMD64", "10.0.22631", "Intel64 Family 6 Model 140") is None


def test_the_smallest_quota_of_nested_control_groups(tmp_path: Path) -> None:
    write(tmp_path, "proc/self/cgroup", "0::/a.slice/b.scope\n")
    write(tmp_path, "sys/fs/cgroup/a.slice/cpu.max", "50000 100000\n")
    write(tmp_path, "sys/fs/cgroup/a.slice/b.scope/cpu.max", "max 100000\n")
    assert fingerprint_of(tmp_path).environment.cpu_quota == 0.5


def test_the_quota_of_cgroups_version_1(tmp_path: Path) -> None:
    write(tmp_path, "proc/self/cgroup", "4:cpu,cpuacct:/docker/12\n3:memory:/docker/12\n")
    write(tmp_path, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n")
    write(tmp_path, "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n")
    assert fingerprint_of(tmp_path).environment.cpu_quota is None
    write(tmp_path, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "200000\n")
    assert fingerprint_of(tmp_path).environment.cpu_quota == 2.0


def test_implausible_sensors_are_skipped(tmp_path: Path) -> None:
    root = unpack("raspberry-pi-4", tmp_path)
    write(root, "sys/class/thermal/thermal_zone0/temp", "-274000\n")
    write(root, "sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq", "<unknown>\n")
    write(root, "usr/bin/vcgencmd", "#!/bin/sh\necho 'VCHI initialization failed' >&2; exit 1\n")
    now = snapshot_of(root)
    assert (now.temperatures, now.clocks.fastest_mhz, now.throttling.flags) == ({}, None, None)
    assert now.skipped == (
        "/sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq: '<unknown>' is no whole number",
        "/sys/class/thermal/thermal_zone0/temp: -274 degrees Celsius cannot be",
        "/usr/bin/vcgencmd get_throttled: VCHI initialization failed",
    )


def test_flags_of_the_kernel_without_vcgencmd(tmp_path: Path) -> None:
    write(tmp_path, "sys/devices/platform/soc/soc:firmware/get_throttled", "50005\n")
    throttling = snapshot_of(tmp_path).throttling
    assert throttling.now == ("under-voltage", "throttled")
    assert throttling.since_start == ("under-voltage", "throttled")


def test_a_voltage_alarm_alone_does_not_make_throttling_visible(tmp_path: Path) -> None:
    write(tmp_path, "sys/class/hwmon/hwmon1/name", "rpi_volt\n")
    write(tmp_path, "sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n")
    throttling = snapshot_of(tmp_path).throttling
    assert (throttling.now, throttling.visible) == (("under-voltage",), False)


def test_cores_are_in_numeric_order(tmp_path: Path) -> None:
    for number in (10, 2, 0):
        write(tmp_path, f"sys/x/cpu{number}/y", "")
    assert Tree(tmp_path).paths("sys/x/cpu*/y") == ["sys/x/cpu0/y", "sys/x/cpu2/y", "sys/x/cpu10/y"]
