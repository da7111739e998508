"""Layers between a program and the hardware: a container, a virtual machine, an emulator."""

import platform
import re
import sys
from dataclasses import dataclass
from pathlib import PurePosixPath

from edgedigits.machine.processor import CpuInfo, architecture, arm_part, family, read_cpuinfo
from edgedigits.machine.tree import REAL, Tree

DMI = "sys/class/dmi/id"

VENDORS = {
    "qemu": "QEMU", "kvm": "KVM", "openstack": "KVM", "kubevirt": "KVM",
    "google compute engine": "Google Compute Engine",
    "amazon ec2": "Amazon EC2", "vmware": "VMware", "vmw": "VMware", "innotek gmbh": "VirtualBox",
    "virtualbox": "VirtualBox", "xen": "Xen", "bochs": "Bochs", "parallels": "Parallels", "bhyve": "bhyve",
    "hyper-v": "Hyper-V", "virtual machine": "Hyper-V", "apple virtualization": "Apple Virtualization",
    "firecracker": "Firecracker",
}  # fmt: skip
"""Names of hypervisors in DMI, after systemd's src/basic/virt.c."""

BARE_METAL_TOO = ("Amazon EC2", "Google Compute Engine")  # Their DMI names the provider on bare metal too.

EMULATORS = {"qemu": "QEMU", "fex": "FEX", "box64": "box64", "box86": "box86", "rosetta": "Rosetta"}
"""Emulators, by the start of their programs' names."""

EMULATED_PART = (0x00, 0x051)  # QEMU's processor "max", which exists nowhere else (target/arm/tcg/cpu64.c in QEMU).

CONTAINERS = {
    "docker": "Docker", "kubepods": "Kubernetes", "libpod": "Podman", "lxc": "LXC", "containerd": "containerd",
    "machine.slice": "systemd-nspawn",
}  # fmt: skip
"""Parts of the control group's name that container engines give."""


@dataclass(frozen=True)
class Environment:
    """Each layer by its name; None if it is absent or cannot be detected."""

    container: str | None
    virtual_machine: str | None
    emulator: str | None
    cpu_quota: float | None = None  # How many cores' time the control group grants; None without a limit.


def find_environment(tree: Tree, machine: str | None) -> Environment:
    """Detect the layers; `machine` is the architecture that the system names, if known."""
    return Environment(
        container=find_container(tree),
        virtual_machine=find_virtual_machine(tree),
        emulator=find_emulator(tree, machine),
        cpu_quota=find_cpu_quota(tree),
    )


def find_container(tree: Tree) -> str | None:
    """Return the name of the container engine."""
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
        # Xen's first domain controls the hardware itself.
        first = "control_d" in (tree.text("proc/xen/capabilities") or "")
        return None if first else hypervisor.capitalize()
    if "microsoft" in (tree.text("proc/sys/kernel/osrelease") or "").lower():
        return "WSL 2 (Hyper-V)"
    info = read_cpuinfo(tree)
    # An x86 hypervisor sets CPUID leaf 1, ECX bit 31, which Linux lists as a feature.
    flagged = "hypervisor" in info.words if architecture(info) in ("x86", "x86_64") else None
    return name_of_hypervisor(
        [tree.text(f"{DMI}/{field}") or "" for field in ("product_name", "sys_vendor", "board_vendor", "bios_vendor")],
        flagged=flagged,
        node=_device_tree_hypervisor(tree),
        clocks=tree.text("sys/devices/system/clocksource/clocksource0/available_clocksource") or "",
    )


def name_of_hypervisor(dmi: list[str], *, flagged: bool | None, node: str | None, clocks: str) -> str | None:
    """Name the hypervisor by DMI's product and vendors, and by the device tree's `node`.

    `flagged` is whether the processor reports one; None where it cannot, as on Arm.
    """
    named = next((name for field in dmi for part, name in VENDORS.items() if field.lower().startswith(part)), None)
    if named in BARE_METAL_TOO and (flagged is False or dmi[0].endswith((".metal", "-metal"))):
        named = None
    if named or node:
        return named or node
    if "kvm-clock" in clocks.split():
        return "KVM"
    return "unnamed hypervisor" if flagged else None


def _device_tree_hypervisor(tree: Tree) -> str | None:
    for base in ("proc/device-tree", "sys/firmware/devicetree/base"):
        if compatible := tree.text(f"{base}/hypervisor/compatible"):
            # "linux,kvm", or "xen,xen-4.11" and "xen,xen", separated by NUL.
            name = compatible.split("\0")[0].split(",")[-1]
            return {"kvm": "KVM", "vmware": "VMware"}.get(name, name.split("-")[0].capitalize())
        if tree.text(f"{base}/model") == "linux,dummy-virt" or tree.exists(f"{base}/fw-cfg@9020000"):
            return "QEMU"
    return None


def find_emulator(tree: Tree, machine: str | None) -> str | None:
    """Return the emulator that translates another processor's instructions."""
    # An emulator intercepts /proc/self, but passes /proc/thread-self on to the kernel.
    program = PurePosixPath(tree.link("proc/thread-self/exe") or "").name.lower()
    if named := next((name for start, name in EMULATORS.items() if program.startswith(start)), None):
        return named
    if named := emulator_of(read_cpuinfo(tree), machine):
        return named
    if tree.root == REAL and sys.platform in ("darwin", "win32"):
        return emulator_by_platform(platform.machine(), platform.version(), platform.processor())
    return None


def emulator_of(info: CpuInfo, machine: str | None) -> str | None:
    """Return the emulator that /proc/cpuinfo reveals."""
    reported = architecture(info)
    if reported and machine and family(reported) != family(machine):
        return f"unnamed emulator of {machine} on {reported}"
    for core in info.cores:
        name = core.get("model name", "")
        if "QEMU TCG" in name or arm_part(core) == EMULATED_PART:
            return "QEMU"
        if "VirtualApple" in name:
            return "Rosetta"
    return None


def emulator_by_platform(machine: str, version: str, processor: str) -> str | None:
    """Return the emulator that macOS and Windows reveal: x86 programs under an Arm kernel or on an Arm processor."""
    if family(machine) != "x86":
        return None
    if "ARM64" in version:
        return "Rosetta"
    return "Windows on Arm" if processor.startswith("ARM") else None


def find_cpu_quota(tree: Tree) -> float | None:
    """Return how many cores' time the control group may use: the smallest quota along its path."""
    found = []
    for folder in cgroup_folders(tree):
        # "200000 100000" or "max 100000" (Documentation/admin-guide/cgroup-v2.rst).
        found.append(tree.text(f"{folder}/cpu.max") or "")
        found.append(" ".join(tree.text(f"{folder}/cpu.cfs_{name}_us") or "" for name in ("quota", "period")))
    counts = [re.fullmatch(r"0*([1-9][0-9]{0,17})\s+0*([1-9][0-9]{0,17})", text) for text in found]
    return min((int(count[1]) / int(count[2]) for count in counts if count), default=None)


def cgroup_folders(tree: Tree) -> list[str]:
    """Return the possible folders of this process's control groups, from its own outwards, of both versions."""
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
