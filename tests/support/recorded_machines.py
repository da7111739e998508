"""Machines recorded in tests/machines: their trees unpacked, and changed as a test needs them."""

import re
from pathlib import Path

MACHINES = Path(__file__).parent / "machines"
NAMES = sorted(path.stem for path in MACHINES.glob("*.txtar"))

DEVICE_TREE = ("proc/device-tree/", "sys/firmware/devicetree/")


def unpack(name: str, root: Path) -> Path:
    """Write a recorded machine's tree beneath `root`, which is returned."""
    text = (MACHINES / f"{name}.txtar").read_text()
    _, *parts = re.split(r"^-- (\S+)( \(unreadable\))? --\n", text, flags=re.MULTILINE)
    for path, unreadable, content in zip(parts[0::3], parts[1::3], parts[2::3], strict=True):
        if unreadable:
            # A folder: no test has to run without the rights of an administrator to find it unreadable.
            (root / path).mkdir(parents=True)
        else:
            write(root, path, content)
    return root


def write(root: Path, path: str, content: str) -> None:
    """Write one file of a tree as the kernel would."""
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    if path.startswith(DEVICE_TREE):
        content = content.removesuffix("\n").replace("\\0", "\0") + "\0"
    place.write_text(content)
    if content.startswith("#!"):
        place.chmod(0o755)
