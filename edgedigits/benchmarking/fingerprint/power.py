"""Where the power comes from, and whether somebody asked the machine to save it."""

import re
from dataclasses import asdict, dataclass

from edgedigits.benchmarking.fingerprint.tree import Tree

SAVING_PROFILES = ("low-power", "quiet", "cool")
"""Profiles that hold a machine below what it could: Documentation/ABI/testing/sysfs-platform_profile."""


@dataclass(frozen=True)
class Power:
    """The supply of power.

    Attributes:
        on_battery: None for machines without a battery.
        battery_percent: None without one.
        profile: the firmware's, "balanced"; None where it has none.
        mode: of a Jetson, "15W" or "MAXN"; None elsewhere.
    """

    on_battery: bool | None
    battery_percent: int | None
    profile: str | None
    mode: str | None

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


def read_power(tree: Tree) -> Power:
    """Read what is so now."""
    statuses = [tree.text(f"{path}/status") for path in batteries(tree)]
    percents = [tree.integer(f"{path}/capacity") for path in batteries(tree)]
    known = [status for status in statuses if status and status != "Unknown"]
    return Power(
        on_battery="Discharging" in known if known else None,
        battery_percent=next((percent for percent in percents if percent is not None), None),
        profile=tree.text("sys/firmware/acpi/platform_profile") or None,
        mode=jetson_mode(tree.text("var/lib/nvpmodel/status") or "", tree.text("etc/nvpmodel.conf") or ""),
    )


def batteries(tree: Tree) -> list[str]:
    """Return the batteries that drive the machine: Documentation/ABI/testing/sysfs-class-power."""
    return [
        path
        for path in tree.paths("sys/class/power_supply/*")
        # Those of a mouse or a pen have the scope "Device".
        if tree.text(f"{path}/type") == "Battery" and tree.text(f"{path}/scope") != "Device"
    ]


def is_jetson(tree: Tree) -> bool:
    """Whether the device tree names one of NVIDIA's Tegra chips."""
    return "nvidia,tegra" in (tree.text("proc/device-tree/compatible") or "")


def jetson_mode(status: str, settings: str) -> str | None:
    """Return the name of the power mode.

    Args:
        status: /var/lib/nvpmodel/status, "pmode:0002".
        settings: /etc/nvpmodel.conf, with lines as "< POWER_MODEL ID=2 NAME=MAXN_SUPER >".
    """
    match = re.search(r"pmode:([0-9]{1,6})", status)
    if not match:
        return None
    number = int(match[1])
    for line in settings.splitlines():
        named = re.match(r"\s*<\s*POWER_MODEL\s+ID=0*([0-9]{1,6})\s+NAME=(\S+)", line)
        if named and int(named[1]) == number:
            return named[2]
    return f"mode {number}"
