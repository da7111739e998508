"""Which board or computer this is, without anything that would tell one of its kind from another."""

from edgedigits.benchmarking.fingerprint.tree import Tree

PLACEHOLDERS = frozenset(
    {
        "",
        "default string",
        "empty",
        "invalid",
        "n/a",
        "none",
        "not applicable",
        "not available",
        "not specified",
        "o.e.m.",
        "oem",
        "product name",
        "system manufacturer",
        "system product name",
        "system version",
        "to be filled by o.e.m.",
        "unknown",
    }
)
"""What makers leave in the fields of their firmware."""

DMI = "sys/class/dmi/id"


def board_name(tree: Tree) -> str | None:
    """Return the board's model: of its device tree, or else of its firmware's DMI; None where neither names one.

    Serial numbers and host names are never read: results are meant to be shown.
    """
    for path in ("proc/device-tree/model", "sys/firmware/devicetree/base/model"):
        # The device tree ends its strings with NUL (Devicetree Specification, 2.2.4).
        if model := _clean(tree.text(path)):
            return model
    return name_of_dmi(
        tree.text(f"{DMI}/sys_vendor"),
        tree.text(f"{DMI}/product_name"),
        tree.text(f"{DMI}/product_version"),
        tree.text(f"{DMI}/board_name"),
    )


def name_of_dmi(vendor: str | None, product: str | None, version: str | None, board: str | None) -> str | None:
    """Return one name from the fields of /sys/class/dmi/id: "LENOVO 20XW0026GE (ThinkPad X1 Carbon Gen 9)"."""
    maker, what = _clean(vendor), _clean(product) or _clean(board)
    if what is None:
        return None
    # HP and others write their name into the product too.
    whole = what if maker is None or what.lower().startswith(maker.lower()) else f"{maker} {what}"
    release = _clean(version)
    # Lenovo keeps the name that people know in the version; others keep "1.0" or a code there.
    return f"{whole} ({release})" if release and " " in release and release not in whole else whole


def _clean(text: str | None) -> str | None:
    kept = " ".join("".join(char if char.isprintable() else " " for char in text or "").split())
    return None if kept.lower() in PLACEHOLDERS else kept
