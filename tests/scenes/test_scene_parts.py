"""Training and validation share no ink, font, ground, photograph or object; hands' last fold is in neither."""

import matplotlib as mpl
import numpy as np
import pytest

from edgedigits.scenes import glyphs, inks, material, pack, strokes
from edgedigits.scenes.grounds import texture
from edgedigits_runtime.errors import DataError
from tests.conftest import REPOSITORY


def contents(tiles) -> set[bytes]:
    return {tile.tobytes() for tiles_of_class in tiles for tile in tiles_of_class}


def disjoint(one: set[bytes], other: set[bytes]) -> bool:
    return bool(one) and bool(other) and one.isdisjoint(other)


@pytest.mark.usefixtures("written_data")
class TestInks:
    def test_mnist_is_split_by_rows_of_its_training_part(self, mnist):
        train, validation = ([*map(len, inks._digits(part, "mnist")[:10])] for part in material.PARTS)
        assert sum(train) + sum(validation) == len(mnist.train) == 60_000
        assert sum(validation) == 6_000
        assert disjoint(*(contents(inks._digits(part, "mnist")) for part in material.PARTS))

    @pytest.mark.parametrize("source", ["hands", "omniglot"])
    def test_characters_are_split_by_writer(self, source):
        assert disjoint(*(contents(inks._characters(part, source)) for part in material.PARTS))

    def test_the_last_fold_of_hands_is_in_neither(self):
        train, validation = (sum(map(len, inks._characters(part, "hands"))) for part in material.PARTS)
        # Of 3,710 characters, less some 300 that are there twice, and what is not clear.
        assert 1_600 < train < 2_220 and 540 < validation < 744

    def test_pen_strokes_are_split_by_writer(self):
        train, validation = (sum(map(len, inks._pen_ways(part))) for part in material.PARTS)
        assert (train, validation) == (7_494, 3_498)


@pytest.mark.parametrize("count", [2, 3, 8])
def test_curves_pass_through_the_points(count):
    points = np.random.default_rng(0).random((count, 2)).astype(np.float32)
    curve = inks._curve(points)
    assert np.allclose(curve[::6], points[:-1], atol=1e-6) and np.allclose(curve[-1], points[-1])


def test_drawn_grounds_and_strokes_differ():
    assert not np.array_equal(texture("train", 0), texture("validation", 0))
    one, other = (strokes.written_digits(part)[3][0] for part in material.PARTS)
    assert not np.array_equal(one[0], other[0])


def test_fonts_print_lines_with_their_boxes():
    train, validation = (glyphs._few_fonts(part) for part in material.PARTS)
    assert disjoint({font.ink.tobytes() for font in train}, {font.ink.tobytes() for font in validation})
    tile, boxes, base = train[0].line("a1 -Q")
    assert boxes[:, 0].tolist() == [0, 1, 3, 4] and 0 < base < len(tile)
    for k, x, y, width, height in boxes.tolist():
        assert (tile[y : y + height, x : x + width] >= train[0].tile("a1 -Q"[k])).all()


def test_the_list_of_packages_names_each_once():
    names = pack.listed((REPOSITORY / "requirements/scene-packages.txt").read_text())
    assert len(names) == len(set(names)) > 5 and "tuxpaint-stamps-default" in names


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Return a cache with the unpacked packages of two photographs, two objects and two fonts, one for each part."""
    monkeypatch.setattr(material, "search_roots", lambda: (tmp_path,))
    folder = tmp_path / material.FOLDER
    of_part = {pack.part_of(f"{name}.png"): f"{name}.png" for name in "abcdefghijklmnop"}
    pictures = {pack.part_of(f"/pictures/{name}.png"): f"{name}.png" for name in "abcdefghijklmnop"}
    packages = {pack.part_of(f"fonts-{name}"): f"fonts-{name}" for name in "abcdefghijklmnop"}
    rng = np.random.default_rng(0)
    for place, names, channels in [("pictures", pictures, 3), ("tuxpaint-stamps-default", of_part, 4)]:
        (folder / "unpacked" / place).mkdir(parents=True)
        for name in names.values():
            image = rng.integers(0, 256, (300, 200, channels), np.uint8)
            image[:, :, 3:] = np.where(np.arange(200) < 120, 255, 0)[:, None]
            _write_png(folder / "unpacked" / place / name, image)
    own = f"{mpl.get_data_path()}/fonts/ttf/DejaVu"
    found = {f"{own}Sans.ttf": packages["train"], f"{own}Serif.ttf": packages["validation"]}
    monkeypatch.setattr(pack, "find_fonts", lambda: [*found])
    monkeypatch.setattr(pack, "package_of", found.get)
    (folder / "packages").mkdir()
    for name in ("pictures", "tuxpaint-stamps-default"):
        (folder / "packages" / f"{name}_1_all.deb").touch()
    for function in (material.photographs, material.objects, glyphs.fonts):
        function.cache_clear()
    yield folder
    for function in (material.photographs, material.objects, glyphs.fonts):
        function.cache_clear()


def _write_png(path, image):
    from PIL import Image

    Image.fromarray(image).save(path)


def test_packages_are_packed_in_parts(cache):
    assert material.photographs("train") is None and material.objects("train") == []
    material.photographs.cache_clear()
    material.objects.cache_clear()
    pack.build(["pictures", "tuxpaint-stamps-default"], cache)
    photographs = [material.photographs(part) for part in material.PARTS]
    assert all(found.shape == (1, pack.SIDE, pack.SIDE, 3) for found in photographs)
    assert not np.array_equal(*photographs)
    for part in material.PARTS:
        (item,) = material.objects(part)
        assert item.shape == (pack.OBJECT_SIDE, round(pack.OBJECT_SIDE * 0.4), 4)
    (train,), (validation,) = (glyphs.fonts(part) for part in material.PARTS)
    assert not np.array_equal(train.ink, validation.ink) and train.has_letters
    assert np.array_equal(train.tile("7"), glyphs.drawn_font(pack.find_fonts()[0]).tile("7"))


def test_a_machine_without_apt_is_told(cache, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(DataError, match="apt-get"):
        pack.build(["another"], cache)
