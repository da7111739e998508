"""Colour profiles are applied if they change light and dark, and are never an error."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from edgedigits_runtime.reading.decode import decode

RAMP = np.tile(np.arange(0, 256, 5, dtype=np.uint8), (4, 1))


def grey_profile(gamma: float) -> bytes:
    """Return a grey ICC profile of version 2 with one gamma (section 6.3 of the specification)."""

    def tag(kind: bytes, data: bytes) -> bytes:
        return (kind + b"\0\0\0\0" + data).ljust(-(-(8 + len(data)) // 4) * 4, b"\0")

    white = tag(b"XYZ ", struct.pack(">3i", 63190, 65536, 54061))
    tags = {
        b"desc": tag(b"desc", struct.pack(">I", 2) + b"g\0" + b"\0" * 78),
        b"wtpt": white,
        b"kTRC": tag(b"curv", struct.pack(">IH", 1, round(gamma * 256))),
        b"cprt": tag(b"text", b"none\0"),
    }
    table, body, offset = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, data in tags.items():
        table += struct.pack(">4sII", name, offset + len(body), len(data))
        body += data
    size = 128 + len(table) + len(body)
    head = struct.pack(">I4sI4s4s4s", size, b"none", 0x02100000, b"mntr", b"GRAY", b"XYZ ")
    head += struct.pack(">6H4s", 2020, 1, 1, 0, 0, 0, b"acsp").ljust(44, b"\0")
    head += struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + table + body


def with_profile(profile: bytes, mode: str = "L") -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(RAMP).convert(mode).save(file, "PNG", icc_profile=profile)
    return decode(file.getvalue(), channels=1)[..., 0]


def test_a_profile_that_changes_greys_is_applied() -> None:
    decoded = with_profile(grey_profile(1.0)).astype(int)
    assert (np.diff(decoded[0]) >= 0).all()
    # Linear light of a fifth is displayed at nearly a half: 255 * (1.055 * 0.2 ** (1 / 2.4) - 0.055) is 124.
    assert abs(decoded[0, RAMP[0].tolist().index(50)] - 123) <= 6


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_usual_profile_changes_nothing(mode: str) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert np.array_equal(with_profile(srgb, mode), RAMP)
    assert np.array_equal(with_profile(grey_profile(2.2)), RAMP)


@pytest.mark.parametrize("profile", [b"no profile", grey_profile(1.0)[:60]])
def test_a_damaged_profile_is_no_error(profile: bytes) -> None:
    assert np.array_equal(with_profile(profile), RAMP)


def test_a_profile_of_another_kind_of_pixels_is_no_error() -> None:
    assert np.array_equal(with_profile(grey_profile(1.0), "RGB"), RAMP)
