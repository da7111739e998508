"""What stands between a program and the bare machine: a container, a virtual machine, an emulator."""

import platform
import re
import sys
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath

from edgedigits.benchmarking.fingerprint import arm_parts
from edgedigits.benchmarking.fingerprint.board import DMI
from edgedigits.benchmarking.fingerprint.cpuinfo import CpuInfo, architecture, parse_cpuinfo
from edgedigits.benchmarking.fingerprint.processor import family
from edgedigits.benchmarking.fingerprint.tree import REAL, Tree

VENDORS = {
    "qemu": "QEMU",
    "kvm": "KVM",
    "openstack": "KVM",
    "kubevirt": "KVM",
    "google compute engine": "Google Compute Engine",
    "amazon ec2": "Amazon EC2",
    "vmware": "VMware",
    "vmw": "VMware",
    "innotek gmbh": "VirtualBox",
    "virtualbox": "VirtualBox",
    "xen": "Xen",
    "bochs": "Bochs",
    "parallels": "Parallels",
    "bhyve": "bhyve",
    "hyper-v": "Hyper-V",
    "virtual machine": "Hyper-V",
    "apple virtualization": "Apple Virtualization",
    "firecracker": "Firecracker",
}
"""How DMI names hypervisors, after the list in systemd's src/basic/virt.c."""

BARE_TOO = ("Amazon EC2", "Google Compute Engine")
"""Their DMI names the house, also where a whole machine is let."""

EMULATORS = {"qemu": "QEMU", "fex": "FEX", "box64": "box64", "box86": "box86", "rosetta": "Rosetta"}
"""Programs that run those of another processor, by how their names begin."""

CONTAINERS = {
    "docker": "Docker",
    "kubepods": "Kubernetes",
    "libpod": "Podman",
    "lxc": "LXC",
    "containerd": "containerd",
    "machine.slice": "systemd-nspawn",
}
"""Parts of the control group's name that the engines of containers give."""


@dataclass(frozen=True)
class Environment:
    """What stands in between, each by its name; None for what does not, or cannot be seen.

    Attributes:
        container: costs nothing while it computes, but may carry a quota.
        virtual_machine: its clock and its neighbours are hidden from it.
        emulator: runs another processor's instructions; its times say nothing of either.
        cpu_quota: how many cores' time the control group grants; None without a limit.
    """

    container: str | None
    virtual_machine: str | None
    emulator: str | None
    cpu_quota: float | None = None

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


def find_environment(tree: Tree, machine: str | None) -> Environment:
    """Look at what stands in between; `machine` is the architecture that the system names, if it is known."""
    return Environment(
        container=find_container(tree),
        virtual_machine=find_virtual_machine(tree),
        emulator=find_emulator(tree, machine),
        cpu_quota=find_cpu_quota(tree),
    )


def find_container(tree: Tree) -> str | None:
    """Return which engine's container this is."""
    if tree.exists("run/.containerenv"):
        return "Podman"
    if named := tree.text("run/systemd/container"):
        return CONTAINERS.get(named, named)
    groups = f"{tree.text('proc/1/cgroup') or ''}\n{tree.text('proc/self/cgroup') or ''}"
    for part, name in CONTAINERS.items():
        if part in groups:
            return name
    return "Docker" if tree.exists(".dockerenv") else None


def find_virtual_machine(tree: Tree) -> str | None:
    """Return the hypervisor's name, or "unnamed hypervisor"."""
    if hypervisor := tree.text("sys/hypervisor/type"):
        # Xen's first domain drives the machine itself.
        first = "control_d" in (tree.text("proc/xen/capabilities") or "")
        return None if first else hypervisor.capitalize()
    if "microsoft" in (tree.text("proc/sys/kernel/osrelease") or "").lower():
        return "WSL 2 (Hyper-V)"
    info = parse_cpuinfo(tree.text("proc/cpuinfo") or "")
    # An x86 hypervisor shows itself in CPUID, leaf 1, ECX bit 31, which Linux writes as a feature.
    shown = "hypervisor" in info.words if architecture(info) in ("x86", "x86_64") else None
    return name_of_hypervisor(
        [tree.text(f"{DMI}/{field}") or "" for field in ("product_name", "sys_vendor", "board_vendor", "bios_vendor")],
        shown=shown,
        node=_device_tree_hypervisor(tree),
        clocks=tree.text("sys/devices/system/clocksource/clocksource0/available_clocksource") or "",
    )


def name_of_hypervisor(dmi: list[str], *, shown: bool | None, node: str | None, clocks: str) -> str | None:
    """Name the hypervisor from what the firmware, the processor and the clocks say.

    Args:
        dmi: product, then vendors.
        shown: whether the processor shows one; None where it could not, as on Arm.
        node: what the device tree names.
        clocks: the sources of time that the kernel has.
    """
    named = next((name for field in dmi for part, name in VENDORS.items() if field.lower().startswith(part)), None)
    if named in BARE_TOO and (shown is False or dmi[0].endswith((".metal", "-metal"))):
        named = None
    if named or node:
        return named or node
    if "kvm-clock" in clocks.split():
        return "KVM"
    return "unnamed hypervisor" if shown else None


def _device_tree_hypervisor(tree: Tree) -> str | None:
    for base in ("proc/device-tree", "sys/firmware/devicetree/base"):
        if compatible := tree.text(f"{base}/hypervisor/compatible"):
            # "linux,kvm", or "xen,xen-4.11" and "xen,xen", parted by NUL.
            name = compatible.split("\0")[0].split(",")[-1]
            return {"kvm": "KVM", "vmware": "VMware"}.get(name, name.split("-")[0].capitalize())
        if tree.text(f"{base}/model") == "linux,dummy-virt" or tree.exists(f"{base}/fw-cfg@9020000"):
            return "QEMU"
    return None


def find_emulator(tree: Tree, machine: str | None) -> str | None:
    """Return what runs the instructions of another processor here."""
    # An emulator answers for /proc/self, but lets /proc/thread-self through to the kernel.
    program = PurePosixPath(tree.link("proc/thread-self/exe") or "").name.lower()
    if named := next((name for start, name in EMULATORS.items() if program.startswith(start)), None):
        return named
    info = parse_cpuinfo(tree.text("proc/cpuinfo") or "")
    if named := emulator_of(info, machine):
        return named
    if tree.root == REAL and sys.platform in ("darwin", "win32"):
        return emulator_by_platform(platform.machine(), platform.version(), platform.processor())
    return None


def emulator_of(info: CpuInfo, machine: str | None) -> str | None:
    """Return what /proc/cpuinfo shows of an emulator."""
    told = architecture(info)
    if told and machine and family(told) != family(machine):
        return f"unnamed emulator of {machine} on {told}"
    for core in info.cores:
        name = core.get("model name", "")
        if "QEMU TCG" in name:
            return "QEMU"
        if "VirtualApple" in name:
            return "Rosetta"
        if arm_parts.midr(core.get("CPU implementer", ""), core.get("CPU part", "")) == arm_parts.EMULATED:
            return "QEMU"
    return None


def emulator_by_platform(machine: str, version: str, processor: str) -> str | None:
    """Return what macOS and Windows show: x86 instructions under a kernel, or on a processor, of Arm."""
    if family(machine) != "x86":
        return None
    if "ARM64" in version:
        return "Rosetta"
    return "Windows on Arm" if processor.startswith("ARM") else None


def find_cpu_quota(tree: Tree) -> float | None:
    """Return how many cores' time the control group may use, the least along its path; None without a limit."""
    found = [_quota_v2(tree.text(f"{folder}/cpu.max")) for folder in cgroup_folders(tree)]
    found += [
        _quota(tree.text(f"{folder}/cpu.cfs_quota_us"), tree.text(f"{folder}/cpu.cfs_period_us"))
        for folder in cgroup_folders(tree)
    ]
    return min((quota for quota in found if quota is not None), default=None)


def _quota_v2(text: str | None) -> float | None:
    """Read "200000 100000" or "max 100000" (Documentation/admin-guide/cgroup-v2.rst)."""
    parts = (text or "").split()
    return _quota(*parts) if len(parts) == 2 else None


def _quota(quota: str | None, period: str | None) -> float | None:
    numbers = [int(text) for text in (quota, period) if text and re.fullmatch(r"[0-9]{1,18}", text)]
    return numbers[0] / numbers[1] if len(numbers) == 2 and all(numbers) else None


def cgroup_folders(tree: Tree) -> list[str]:
    """Return where the control groups of this process may be, its own before those around it, both versions."""
    own = {"sys/fs/cgroup": "/", "sys/fs/cgroup/unified": "/", "sys/fs/cgroup/cpu": "/"}
    for line in (tree.text("proc/self/cgroup") or "").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            own["sys/fs/cgroup"] = own["sys/fs/cgroup/unified"] = path
        elif "cpu" in controllers.split(","):
            own["sys/fs/cgroup/cpu"] = path
    found = []
    for mount, path in own.items():
        inner = PurePosixPath(path.lstrip("/"))
        if ".." in inner.parts:
            # A group outside this container's view of the tree.
            inner = PurePosixPath()
        found += [PurePosixPath(mount, part).as_posix() for part in (inner, *inner.parents)]
    return list(dict.fromkeys(found))
