"""The power chip of a Raspberry Pi 5, which measures most of the board's rails (`vcgencmd pmic_read_adc`)."""

import re
from collections.abc import Mapping

from edgedigits.benchmarking.energy.power_meter import Meter, NoMeter
from edgedigits.machine.tree import Tree

ASIDE = ("3V3_DAC", "3V3_ADC", "HDMI")
"""Rails of analogue parts and plugged-in devices: they are reported, but not summed."""


def open_meter(tree: Tree) -> Meter | NoMeter:
    """Return a meter of the rails that have both a voltage and a current."""
    if "Raspberry Pi" not in (tree.text("proc/device-tree/model") or ""):
        return NoMeter("no Raspberry Pi")
    rails = parse_rails(tree.program("vcgencmd", "pmic_read_adc") or "")
    if not rails:
        return NoMeter("no power chip of a Raspberry Pi that measures")

    def read() -> Mapping[str, float]:
        now = parse_rails(tree.program("vcgencmd", "pmic_read_adc") or "")
        if not set(rails) <= set(now):
            raise ValueError("vcgencmd pmic_read_adc did not list every rail")
        return now

    return Meter(
        name="pmic",
        scope="the rails of the power chip: without USB, what is plugged in, and what the regulators lose",
        kind="power",
        read=read,
        channels=tuple(rails),
        total=tuple(name for name in rails if name not in ASIDE),
        # Each reading starts a program.
        interval_seconds=0.25,
        least_seconds=2.0,
    )


def parse_rails(text: str) -> dict[str, float]:
    """Return the watts of each rail from lines such as "VDD_CORE_A current(7)=1.12A", "VDD_CORE_V volt(15)=0.89V"."""
    values: dict[str, dict[str, float]] = {}
    for line in text.splitlines():
        match = re.fullmatch(r"\s*(\w+)_([AV]) (?:current|volt)\(\d+\)=([0-9]{1,6}(?:\.[0-9]{1,12})?)\2\s*", line)
        if match:
            values.setdefault(match[1], {})[match[2]] = float(match[3])
    return {name: of["A"] * of["V"] for name, of in values.items() if len(of) == 2}
