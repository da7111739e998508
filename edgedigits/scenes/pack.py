"""Pack what scenes need from Debian packages: python -m edgedigits.scenes.pack LIST, as `make scene-material` does.

The packages of LIST are downloaded and unpacked into the user's cache; fonts are those of `make fonts`. A package's
fonts, and a photograph with all its crops, are in one part only.
"""

import io
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from edgedigits.data.fonts import ONLY_DIGITS, find_fonts, package_of
from edgedigits.data.storage import user_cache
from edgedigits.scenes.glyphs import drawn_font
from edgedigits.scenes.material import FOLDER, PARTS
from edgedigits.scenes.opencv import cv2
from edgedigits.scenes.scene import Part, Pixels
from edgedigits_runtime.errors import DataError

SIDE = 384
"""Side of a packed photograph."""
OBJECT_SIDE = 192
_PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".tga"}
# Parts of paths of what shows writing, is no ground, or is a small copy.
_NO_GROUND = (
    *("screenshot", "interface", "/gui", "font", "logo", "icon", "sign", "data/text", "data/page", "data/color", "bw_"),
    *("chessboard", "palette", "coins", "clock", "phantom", "foo", "data/block", "checker", "truncated", "data/horse"),
    *("courses/", "sfx", "menu", "effect", "flare", "decal", "env/", "_glow", "players", "char/", "sprite", "skin"),
    *("doc/", "tests/", "template", "button", "number", "blend", "scoreboard", "trigger", "common/", "ctf", "flag"),
    *("banner", "objects/", "microaneurysms", "letter", "lightmap", "particle", "cursor", "mouse", "levelshots"),
)  # fmt: skip
_NO_OBJECT = ("letter", "number", "symbol", "clock", "flag", "sign", "money", "calend", "dice", "hanukkah", "newyear")


def build(packages: list[str], folder: Path) -> None:
    """Download and unpack `packages`, and write the packs to `folder`.

    Raises:
        DataError: apt-get or dpkg-deb failed or is missing, or there are no fonts.
    """
    downloads, unpacked = folder / "packages", folder / "unpacked"
    downloads.mkdir(parents=True, exist_ok=True)
    missing = [name for name in packages if not any(downloads.glob(f"{name}_*.deb"))]
    if missing:
        _run(["apt-get", "download", *missing], downloads)
    for name in packages:
        if not (unpacked / name).is_dir():
            _run(["dpkg-deb", "-x", str(next(downloads.glob(f"{name}_*.deb"))), str(unpacked / name)], downloads)
    for part in PARTS:
        _pack_photographs([unpacked / name for name in packages], part, folder)
        _pack_objects(unpacked, part, folder)
        _pack_fonts(part, folder)


def _run(command: list[str], folder: Path) -> None:
    try:
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError) as error:
        raise DataError(f"expected Debian's {command[0]} to work: {error}; run apt-get update first") from error


def part_of(source: str) -> Part:
    """Return the part that a package or picture belongs to."""
    return "validation" if zlib.crc32(source.encode()) % 6 == 0 else "train"


def _pictures(packages: list[Path]) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Yield the path of each picture, and how to read it."""
    for path in (path for package in packages for path in sorted(package.rglob("*"))):
        if path.suffix == ".pk3":
            with zipfile.ZipFile(path) as archive:
                for name in sorted(archive.namelist()):
                    yield f"{path}/{name}", lambda archive=archive, name=name: archive.read(name)  # type: ignore[misc]
        elif path.is_file() and not path.is_symlink():
            yield str(path), path.read_bytes


def _read(content: bytes) -> Pixels | None:
    try:
        with Image.open(io.BytesIO(content)) as image:
            image.draft("RGB", (1600, 1600))
            image.load()
            mode = "RGBA" if image.mode in ("RGBA", "P", "LA") else "RGB"
            image.thumbnail((1600, 1600))
            return np.asarray(image.convert(mode))
    except (OSError, ValueError, SyntaxError):
        return None


def _pack_photographs(packages: list[Path], part: Part, folder: Path) -> None:
    rng = np.random.default_rng(0)
    crops: list[Pixels] = []
    for path, read in _pictures(packages):
        name = path.removeprefix(str(packages[0].parent)).lower()
        # Wallpapers come in several sizes in one folder.
        group = name.rsplit("/contents/", 1)[0] if "/contents/" in name else name
        wanted = Path(name).suffix in _PICTURES and not any(word in name for word in _NO_GROUND)
        if not wanted or "tuxpaint" in name or part_of(group) != part:
            continue
        picture = _read(read())
        if picture is None or min(picture.shape[:2]) < 120 or (picture.shape[2] == 4 and picture[..., 3].min() < 250):
            continue
        crops += _crops(rng, picture[..., :3])
    _write(folder / f"photographs-{part}.npy", lambda file: np.save(file, np.stack(crops)))


def _crops(rng: np.random.Generator, picture: Pixels) -> Iterator[Pixels]:
    """Yield the middle of a picture, and of a large one some details."""
    height, width = picture.shape[:2]
    side = min(height, width)
    x, y = (width - side) // 2, (height - side) // 2
    yield _resized(picture[y : y + side, x : x + side])
    for _ in range(3 if side >= 700 else 0):
        side = int(rng.integers(300, 640))
        x, y = int(rng.integers(width - side)), int(rng.integers(height - side))
        yield _resized(picture[y : y + side, x : x + side])


def _resized(square: Pixels) -> Pixels:
    smaller = square.shape[0] > SIDE
    resized: Pixels = cv2.resize(square, (SIDE, SIDE), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
    return resized


def _pack_objects(unpacked: Path, part: Part, folder: Path) -> None:
    found: dict[str, Any] = {}
    for path in sorted((unpacked / "tuxpaint-stamps-default").rglob("*.png")):
        if any(word in str(path).lower() for word in _NO_OBJECT) or part_of(path.name) != part:
            continue
        picture = _read(path.read_bytes())
        if picture is None or picture.shape[2] != 4 or picture[..., 3].min() > 5:
            continue
        x, y, width, height = cv2.boundingRect(picture[..., 3])
        scale = OBJECT_SIDE / max(width, height, 1)
        size = (max(round(width * scale), 1), max(round(height * scale), 1))
        found[f"{len(found):04}"] = cv2.resize(
            picture[y : y + height, x : x + width], size, interpolation=cv2.INTER_AREA
        )
    _write(folder / f"objects-{part}.npz", lambda file: np.savez(file, **found))


def _pack_fonts(part: Part, folder: Path) -> None:
    paths = [path for path in find_fonts() if part_of(package_of(path)) == part]
    fonts = [drawn_font(path, package_of(path) not in ONLY_DIGITS) for path in paths]
    arrays: dict[str, Any] = {
        "tables": np.stack([font.table for font in fonts]),
        "ink": np.concatenate([font.ink for font in fonts]),
        "starts": np.cumsum([0, *(len(font.ink) for font in fonts)]),
        "has_letters": np.array([font.has_letters for font in fonts]),
    }
    _write(folder / f"fonts-{part}.npz", lambda file: np.savez_compressed(file, **arrays))


def _write(path: Path, write: Callable[[io.BufferedWriter], object]) -> None:
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as file:
        write(file)
    part.replace(path)


def listed(text: str) -> list[str]:
    """Return the packages of a list with comments."""
    return [name for line in text.splitlines() for name in line.partition("#")[0].split()]


if __name__ == "__main__":
    build(listed(Path(sys.argv[1]).read_text()), user_cache() / FOLDER)
