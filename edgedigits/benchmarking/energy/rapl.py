"""RAPL: energy counters of Intel and AMD processors (Documentation/power/powercap/powercap.rst)."""

import re

from edgedigits.benchmarking.energy.power_meter import Meter, NoMeter, read_integer
from edgedigits.machine.tree import Tree

ZONES = "sys/class/powercap/intel-rapl:[0-9]*"
"""AMD's too. intel-rapl-mmio repeats the same counters, so it is not read."""

SCOPES = {True: "the processor, not the rest of the machine", False: "the platform, as its maker has wired it"}


def open_meter(tree: Tree) -> Meter | NoMeter:
    """Return a meter of the processor packages and the memory."""
    zones = _zones(tree)
    if not zones:
        return NoMeter("no RAPL counters")
    files, wraps_at, skipped, denied = {}, {}, [], False
    for name, path in zones.items():
        try:
            read_integer(tree, f"{path}/energy_uj")
            wraps_at[name] = float(read_integer(tree, f"{path}/max_energy_range_uj"))
            files[name] = f"{path}/energy_uj"
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "no whole number"
            skipped.append(f"/{path}/energy_uj: {why}")
            denied = denied or isinstance(error, PermissionError)
    # A package excludes the memory; the platform ("psys") includes both.
    packages = [name for name in files if name.startswith("package") and "/" not in name]
    memory = [name for name in files if name.endswith("/dram")]
    total = (*packages, *memory) if packages else tuple(name for name in files if name == "psys")
    if not total:
        # Since Linux 5.10 only root may read them, because they leak other programs' secrets.
        fix = "; to let everybody read them: sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj"
        why = f"{skipped[0]}{fix if denied else ''}" if skipped else "none is of a package"
        return NoMeter(f"RAPL counters cannot be read ({why})", present=True)
    return Meter(
        name="rapl",
        scope=f"{' + '.join(total)}: {SCOPES[bool(packages)]}",
        kind="counter",
        read=lambda: {name: float(read_integer(tree, file)) for name, file in files.items()},
        channels=tuple(files),
        total=total,
        wraps_at=wraps_at,
        # 32 bits of 61 microjoules wrap after 44 minutes at 100 W.
        interval_seconds=10.0,
        skipped=tuple(skipped),
    )


def _zones(tree: Tree) -> dict[str, str]:
    """Return the path of each zone by its name, "package-0" or "package-0/dram"."""
    found: dict[str, str] = {}
    names: dict[str, str] = {}
    for path in tree.paths(ZONES):
        number = re.fullmatch(r"intel-rapl:(\d+(?::\d+)*)", path.rpartition("/")[2])
        name = tree.text(f"{path}/name") if number else None
        if number is None or not name:
            continue
        above = names.get(number[1].rpartition(":")[0])
        names[number[1]] = f"{above}/{name}" if above else name
        found[names[number[1]]] = path
    return found
