"""Photographs, textures, objects and fonts of Debian packages, packed for fast scenes by pack.py.

The packs are searched where datasets are, in the folder scene-material. Without them scenes have drawn grounds and the
few fonts of Matplotlib.
"""

from functools import cache
from pathlib import Path

import numpy as np

from edgedigits.data.storage import search_roots
from edgedigits.scenes.scene import Part, Pixels

FOLDER = "scene-material"
PARTS: tuple[Part, ...] = ("train", "validation")


def packed(name: str) -> Path | None:
    """Return the path of a pack, or None where it was not made."""
    for root in search_roots():
        path = root / FOLDER / name
        if path.is_file():
            return path
    return None


@cache
def photographs(part: Part) -> Pixels | None:
    """Return photographs and textures, uint8 [N, SIDE, SIDE, 3], mapped from the disk, or None."""
    pack = packed(f"photographs-{part}.npy")
    return None if pack is None else np.load(pack, mmap_mode="r")


@cache
def objects(part: Part) -> list[Pixels]:
    """Return objects, uint8 [h, w, 4] each, the last channel their mask; none without a pack."""
    pack = packed(f"objects-{part}.npz")
    if pack is None:
        return []
    with np.load(pack) as arrays:
        return [arrays[name] for name in sorted(arrays.files)]
