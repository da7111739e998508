"""Only allowed decoders run, and none runs for hours."""

import struct
import subprocess
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_decode import in_mode

from edgedigits_runtime.errors import PictureError, PictureTooLarge, PictureUnreadable
from edgedigits_runtime.reading.decode import MAX_SIDE, decode, decode_picture
from edgedigits_runtime.reading.formats import ALLOWED, SLOW_PIXELS, Rationed, format_of
from edgedigits_runtime.reading.headers import MOST_FRAMES, Refused
from edgedigits_runtime.sources import files
from edgedigits_runtime.sources.files import SUFFIXES, expand
from tests.conftest import encoded
from tests.support.picture_files import png_chunk

RAMP = np.tile(np.linspace(0, 255, 24).round().astype(np.uint8), (16, 1))
PICTURE = Image.fromarray(RAMP).convert("RGB")

Image.init()
OTHERS = sorted(set(Image.SAVE) & set(Image.OPEN) - set(ALLOWED) - {"HDF5", "GRIB", "BUFR", "WMF"})


@pytest.mark.parametrize("kind", sorted(ALLOWED))
def test_every_allowed_format_is_recognised_by_its_first_bytes(kind: str) -> None:
    content = encoded(PICTURE, kind)
    assert format_of(content) == kind
    assert decode(content, channels=1).shape[2] == 1


def test_every_suffix_that_folders_are_searched_for_is_of_an_allowed_format() -> None:
    assert {Image.EXTENSION[suffix] for suffix in SUFFIXES} <= set(ALLOWED)


def in_format(kind: str) -> bytes:
    modes = {"MSP": "1", "XBM": "1", "SPIDER": "F", "BLP": "P", "PALM": "P", "FITS": "L"}
    with warnings.catch_warnings():
        # Pillow will drop some formats.
        warnings.simplefilter("ignore", DeprecationWarning)
        return encoded(PICTURE.convert(modes.get(kind, "RGB")), kind)


@pytest.mark.parametrize("kind", OTHERS)
def test_other_formats_of_pillow_are_refused(kind: str) -> None:
    content = in_format(kind)
    assert format_of(content) is None
    with pytest.raises(PictureUnreadable):
        decode(content, channels=1)


def test_other_decoders_are_neither_run_nor_imported() -> None:
    allowed = [encoded(PICTURE, kind) for kind in sorted(ALLOWED)]
    contents = [*map(in_format, OTHERS), *allowed, b"GIF89a", b"junk" * 100]
    script = f"""
import io, sys
from PIL import Image, ImageFile
from edgedigits_runtime.errors import PictureError
from edgedigits_runtime.reading.decode import decode
from edgedigits_runtime.reading.formats import ALLOWED
contents = {contents!r}
for content in contents:
    try:
        decode(content, channels=1)
    except PictureError:
        pass
loaded = {{name[4:] for name in sys.modules if name.startswith("PIL.") and name.endswith("Plugin")}}
# JPEG's plugin passes pictures with previews to it.
print(sorted(loaded - set(ALLOWED.values()) - {{"MpoImagePlugin"}}))
print(sorted(set(Image.OPEN) - set(ALLOWED)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "[]"]


def test_a_name_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "digit.eps"
    path.write_bytes(encoded(PICTURE, "PNG"))
    assert np.array_equal(decode(path, channels=1)[..., 0], RAMP)
    path = tmp_path / "digit.png"
    path.write_bytes(encoded(PICTURE, "EPS"))
    with pytest.raises(PictureUnreadable, match="EPS"):
        decode(path, channels=1)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"8BPS\0\1" + b"\0" * 30, "PSD"),
        (b"\xff\x0a\0\0\0\0", "JPEG XL"),
        (b"\xd7\xcd\xc6\x9a\0\0" + b"\0" * 30, "WMF"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypavif\0\0\0\0mif1heic", "AVIF"),
    ],
)
def test_unsupported_formats_are_named(content: bytes, kind: str) -> None:
    with pytest.raises(PictureUnreadable, match=kind):
        decode(content, channels=1)


def test_a_heic_photo_is_read_upright_and_refused_from_its_header() -> None:
    turned = Image.new("RGB", (64, 48), "white")
    turned.paste("black", (0, 0, 64, 8))
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encoded(turned, "HEIF", exif=exif.tobytes(), quality=90)
    # The brand of many encoders, with the coding among the compatible ones.
    for marked in (content, content.replace(b"ftypheic", b"ftypmif1", 1)):
        pixels = decode(marked, channels=1)[..., 0]
        assert pixels.shape == (64, 48)
        assert pixels[:, -4:].max() < 60 and pixels[:, :30].min() > 200
        with pytest.raises(PictureTooLarge):
            decode(marked, channels=1, max_pixels=1000)


def test_without_the_extra_heic_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    content = encoded(PICTURE, "HEIF")
    monkeypatch.delitem(Image.OPEN, "HEIF")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(PictureUnreadable, match=r"HEIC.*edgedigits\[heif\]"):
        decode(content, channels=1)


@pytest.mark.parametrize("installed", [True, False])
def test_the_heic_pictures_of_a_folder_are_read_or_counted_and_named(
    installed: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("1.HEIC", "2.heic", "3.heif", "4.hif", "5.heic"):
        (tmp_path / name).touch()
    (tmp_path / "a.png").touch()
    monkeypatch.setattr(files, "find_spec", lambda _: installed or None)
    found = list(expand([tmp_path]))
    if installed:
        assert len(found) == 6 and not any(one.error for one in found)
        return
    picture, heic = found
    assert picture.content == tmp_path / "a.png"
    assert heic.content is None and "5 HEIC pictures" in str(heic.error) and "edgedigits[heif]" in str(heic.error)
    assert "1.HEIC, 2.heic, 3.heif and 2 more" in str(heic.error)


@pytest.mark.parametrize("maximum", [1, 15, 254, 256, 1023, 65_535])
@pytest.mark.parametrize("bands", [1, 3])
def test_a_pgm_or_ppm_of_any_maximum_keeps_its_range(maximum: int, bands: int) -> None:
    levels = np.rint(RAMP / 255 * maximum).astype(">u2" if maximum > 255 else np.uint8)
    head = b"P%d 24 16 %d\n" % (5 if bands == 1 else 6, maximum)
    content = head + np.repeat(levels[..., np.newaxis], bands, axis=2).tobytes()
    expected = np.rint(levels.astype(float) / maximum * 255)
    for channels in (1, 3):
        assert np.abs(decode(content, channels=channels) - expected[..., np.newaxis]).max() <= 1
    with pytest.raises(PictureUnreadable):
        decode(content[:-1], channels=1)


def test_slow_decoders_refuse_large_pictures() -> None:
    side = int(SLOW_PIXELS**0.5) + 1
    plain = b"P2 %d %d 255\n" % (side, side) + b"9 " * 100
    with pytest.raises(PictureTooLarge, match="1,000,000"):
        decode(plain, channels=1)
    assert decode(b"P2 3 1 255\n0 128 255\n", channels=1)[0, :, 0].tolist() == [0, 128, 255]


def test_the_reads_of_a_decoder_are_limited() -> None:
    file = Rationed(b"ab" * 10)
    assert file.read(2) == b"ab"
    file._left = 1
    assert file.read() == b"ab" * 9
    with pytest.raises(Refused):
        file.read(1)


def test_a_picture_with_a_huge_side_is_refused() -> None:
    assert decode(encoded(Image.new("L", (MAX_SIDE, 1))), channels=1).shape == (1, MAX_SIDE, 1)
    for size in ((MAX_SIDE + 1, 1), (1, MAX_SIDE + 1)):
        with pytest.raises(PictureTooLarge, match="65,535"):
            decode(encoded(Image.new("L", size)), channels=1)


def test_a_file_longer_than_any_picture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "long.png"
    with path.open("wb") as file:
        file.truncate(10**11)
    with pytest.raises(PictureTooLarge):
        decode(path, channels=1, max_pixels=1_000_000)


class Pipe:
    """A raw pipe: a read returns the bytes that are there; without content it never ends."""

    def __init__(self, content: bytes = b"") -> None:
        self.content, self.given = content, 0

    def read(self, most: int = -1) -> bytes:
        assert most >= 0, "asked for all, of which there is no end"
        part = self.content[self.given : self.given + min(most, 7)] if self.content else b"\0" * min(most, 10**6)
        self.given += len(part)
        return part


def test_a_pipe_is_read_to_its_end_or_to_the_limit() -> None:
    content = encoded(Image.new("L", (3, 2), 7))
    assert decode(Pipe(content), channels=1).shape == (2, 3, 1)  # type: ignore[arg-type]
    endless = Pipe()
    with pytest.raises(PictureTooLarge):
        decode(endless, channels=1, max_pixels=1_000_000)  # type: ignore[arg-type]
    assert endless.given == 8 * 1_000_000 + 16_000_000 + 1


def test_the_count_of_frames_is_limited() -> None:
    def note(content: bytes) -> str:
        return decode_picture(content, channels=1).note

    frames = [Image.new("L", (8, 8), 20 * k) for k in range(5)]
    for kind in ("GIF", "TIFF", "PNG", "WEBP", "AVIF"):
        assert note(encoded(frames[0], kind, save_all=True, append_images=frames[1:])) == "the first of 5 frames"
        assert note(encoded(frames[0], kind)) == ""
    gif = encoded(frames[0], "GIF")
    frame = b"!\xf9\x04\0\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0"
    assert note(gif[:-1] + frame * (MOST_FRAMES - 1) + b";") == f"the first of {MOST_FRAMES} frames"
    assert note(gif[:-1] + frame * 50_000 + b";") == f"the first of more than {MOST_FRAMES:,} frames"


def test_a_tiff_whose_pages_form_a_circle_is_counted() -> None:
    content = bytearray(encoded(Image.new("L", (8, 8)), "TIFF"))
    first = struct.unpack_from("<I", content, 4)[0]
    count = struct.unpack_from("<H", content, first)[0]
    content[first + 2 + 12 * count : first + 6 + 12 * count] = struct.pack("<I", first)
    assert decode_picture(bytes(content), channels=1).note == ""


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "La", "P", "PA", "RGBA", "RGBa", "CMYK", "YCbCr", "HSV", "LAB", "I;16", "I", "F"]
)
@pytest.mark.parametrize("channels", [1, 3, None])
def test_reducing_in_strips_equals_reducing_the_whole(mode: str, channels: int | None) -> None:
    if mode in ("I;16", "I", "F"):
        dtype = {"I;16": np.uint16, "I": np.int32, "F": np.float32}[mode]
        image = Image.fromarray((RAMP.astype(float) * 257).astype(dtype))
    else:
        image = in_mode(mode) if mode != "1" else PICTURE.convert("1", dither=Image.Dither.NONE)
    image = image.resize((2400, 1600), Image.Resampling.NEAREST)
    reduced = decode_picture(image, channels=channels, working_pixels=1_000_000)
    whole = decode_picture(image, channels=channels)
    assert reduced.scale == 2
    assert reduced.pixels.shape == (800, 1200, whole.pixels.shape[2])
    assert np.abs(reduced.pixels.astype(int) - whole.pixels[::2, ::2]).max() <= 2


def test_an_icon_is_read_by_its_content() -> None:
    image = Image.fromarray(RAMP).resize((32, 32)).convert("RGBA")
    sizes = [(16, 16), (32, 32)]
    png, bitmap = (encoded(image, "ICO", sizes=sizes, bitmap_format=kind) for kind in ("png", "bmp"))
    assert decode(png, channels=1).shape == (32, 32, 1)
    assert np.array_equal(decode(png, channels=1), decode(bitmap, channels=1))


def test_two_colour_profiles_are_refused() -> None:
    content = encoded(PICTURE)
    profile = png_chunk(b"iCCP", b"a\0\0" + zlib.compress(b"\0" * 100))
    assert decode(content[:33] + profile + content[33:], channels=1).any()
    with pytest.raises(PictureError, match="profiles"):
        decode(content[:33] + profile * 2 + content[33:], channels=1)
