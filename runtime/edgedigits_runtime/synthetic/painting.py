"""Paint a scene: paper, ruled lines, ink, light and camera."""

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from edgedigits_runtime.synthetic.layout import Extent
from edgedigits_runtime.synthetic.paper import Colour
from edgedigits_runtime.synthetic.scenes import Scene
from edgedigits_runtime.synthetic.views import View, page_coordinates

Map = NDArray[np.float32]

PANEL_PEN = -1
"""Index of the pen that writes on panels."""


def paint(
    scene: Scene,
    view: View,
    covers: dict[int, NDArray[np.uint8]],
    size: tuple[int, int],
    rng: np.random.Generator,
    panels: Sequence[Extent] = (),
) -> NDArray[np.uint8]:
    """Return the picture of a page, RGB uint8 [H, W, 3].

    Args:
        scene: paper, light and camera.
        view: from the page to the picture.
        covers: each pen's ink in the picture, uint8 [H, W], 0 blank to 255 full.
        size: (width, height) of the picture.
        rng: random source of textures, light and noise.
        panels: extents of the scene's panels on the page.
    """
    colours = np.broadcast_to(np.array(scene.ground, np.float32), (size[1], size[0], 3)).copy()
    coordinates = page_coordinates(view, size)
    _print_lines(colours, scene, coordinates, size)
    if scene.panel:
        for panel in panels:
            _blend(colours, scene.panel[0], _within(panel, coordinates))
    if scene.fibre:
        colours += scene.fibre * _mottling(rng, size)[..., None]
    if scene.dirt:
        _blend(colours, scene.pens[0], _dirt(scene.dirt, size, rng))
    for pen, cover in sorted(covers.items()):
        kept = _roughness(scene.grain, size, rng) if scene.grain else np.ones_like(cover, np.float32)
        colour = scene.panel[1] if scene.panel and pen == PANEL_PEN else scene.pens[pen % len(scene.pens)]
        _blend(colours, colour, kept * (cover / 255).astype(np.float32))
    if scene.table is not None:
        _lay_on_table(colours, scene.table, coordinates, size, rng)
    if scene.light or scene.shadow or scene.vignette:
        colours *= _light(scene, size, rng)[..., None]
    return _photograph(colours, scene, rng)


def _photograph(colours: Map, scene: Scene, rng: np.random.Generator) -> NDArray[np.uint8]:
    picture = _image(colours)
    if scene.blur:
        picture = picture.filter(ImageFilter.GaussianBlur(scene.blur))
    if scene.noise:
        height, width = colours.shape[:2]
        noisy = scene.noise * rng.standard_normal((height, width, 1), np.float32) + np.asarray(picture, np.float32)
        # Demosaicing and compression make colour noise weaker and coarser than brightness noise.
        coarse = rng.standard_normal((height // 2 + 1, width // 2 + 1, 3), np.float32)
        noisy += 0.4 * scene.noise * coarse.repeat(2, axis=0).repeat(2, axis=1)[:height, :width]
        picture = _image(noisy)
    if scene.border:
        _draw_window(picture, scene.border)
    if scene.jpeg is not None:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=scene.jpeg)
        picture = Image.open(file)
    return np.array(picture)


def _image(colours: Map) -> Image.Image:
    return Image.fromarray(np.clip(colours + 0.5, 0, 255).astype(np.uint8))


def _blend(colours: Map, colour: Colour, strength: Map) -> None:
    """Blend `colour` into `colours` by `strength` ([H, W], 0..1)."""
    rows, columns = np.flatnonzero(strength.any(axis=1)), np.flatnonzero(strength.any(axis=0))
    if not len(rows):
        return
    # Only the window with ink: it is a small part of most pages.
    window = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    colours[window] += (np.array(colour, np.float32) - colours[window]) * strength[window][..., None]


def _within(extent: Extent, coordinates: tuple[Map, Map]) -> Map:
    """Return the share of each pixel, [H, W] 0..1, within a rectangle of the page."""
    (left, top, right, bottom), (x, y) = extent, coordinates
    inside = np.minimum(np.minimum(x - left, right - x), np.minimum(y - top, bottom - y))
    share: Map = np.clip(0.5 + inside, 0, 1)
    return share


def _print_lines(colours: Map, scene: Scene, coordinates: tuple[Map, Map], size: tuple[int, int]) -> None:
    if not scene.line_spacing:
        return
    longer = max(size)
    spacing = max(8.0, scene.line_spacing * longer)
    x, y = coordinates
    # At least 0.6 pixels, and thicker for wide spacing.
    reach = max(0.6, 0.02 * spacing)
    for axis in (y, x) if scene.squared else (y,):
        away = np.abs((axis / spacing) % 1 - 0.5) * spacing
        _blend(colours, scene.line_colour, np.clip(reach + 0.5 - away, 0, 1))
    if scene.margin_line:
        _blend(colours, (214, 120, 124), np.clip(reach + 0.5 - np.abs(x - 0.045 * size[0]), 0, 1))


def _mottling(rng: np.random.Generator, size: tuple[int, int]) -> Map:
    """Return fibrous and cloudy noise [H, W] of mean 0 and deviation about 1."""
    fine = rng.standard_normal((size[1], size[0]), np.float32)
    mottled: Map = 0.6 * fine + 0.5 * _clouds(rng, size, 9) + 0.6 * _clouds(rng, size, 40)
    return mottled


def _clouds(rng: np.random.Generator, size: tuple[int, int], cell: int) -> Map:
    """Return smooth noise [H, W] of mean 0 with bumps about `cell` pixels wide."""
    coarse = rng.standard_normal((size[1] // cell + 2, size[0] // cell + 2), np.float32)
    return np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC))


def _roughness(strength: float, size: tuple[int, int], rng: np.random.Generator) -> Map:
    """Return [H, W] the share of ink that stays on each pixel, 1 - `strength` to 1."""
    rough = Image.fromarray(rng.integers(0, 256, (size[1], size[0]), np.uint8))
    bumps = np.asarray(rough.filter(ImageFilter.GaussianBlur(0.8)), dtype=np.float32)
    # Stretches the blurred noise, so that some specks are blank and some full.
    return (1 - strength * np.clip(0.5 + (bumps - 127.5) / 70, 0, 1)).astype(np.float32)


def _dirt(count: int, size: tuple[int, int], rng: np.random.Generator) -> Map:
    """Return specks, faint creases across the page, and a stain, [H, W] 0..1."""
    layer = Image.new("L", size)
    pen = ImageDraw.Draw(layer)
    width, height = size
    for _ in range(count // 12):
        ends = rng.uniform(-0.2, 1.2, 4) * np.array([width, height, width, height])
        pen.line(ends.tolist(), fill=int(rng.integers(8, 28)), width=int(rng.integers(1, 3)))
    for _ in range(count):
        x, y = rng.uniform(0, 1, 2) * np.array(size)
        across, down = rng.uniform(0.3, 0.0025 * max(size) + 0.5, 2)
        pen.ellipse((x - across, y - down, x + across, y + down), fill=int(rng.integers(60, 230)))
    dirt = np.asarray(layer.filter(ImageFilter.GaussianBlur(0.5)), dtype=np.float32) / 255
    stain = np.clip(0.12 * (_clouds(rng, size, max(size) // 4) - 0.8), 0, 0.12)
    soiled: Map = np.maximum(dirt, stain)
    return soiled


def _lay_on_table(
    colours: Map, table: Colour, coordinates: tuple[Map, Map], size: tuple[int, int], rng: np.random.Generator
) -> None:
    """Paint a wooden table beyond the page's edge, with the page's thin shadow on it."""
    x, y = coordinates
    inside = np.minimum(np.minimum(x, size[0] - x), np.minimum(y, size[1] - y))
    grain = rng.standard_normal((size[1] // 3 + 2, 6), np.float32)
    wood = np.asarray(Image.fromarray(grain).resize(size, Image.Resampling.BICUBIC))
    depth = 1 - 0.4 * np.exp(np.minimum(inside, 0) / (0.006 * max(size)))
    beyond = (np.array(table, np.float32) * (1 + 0.08 * wood[..., None])) * depth[..., None]
    outside = np.clip(0.5 - inside, 0, 1)[..., None]
    colours += (beyond - colours) * outside


def _light(scene: Scene, size: tuple[int, int], rng: np.random.Generator) -> Map:
    """Return [H, W] the share of light on each pixel."""
    width, height = size
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None] * (height / width)
    angle = rng.uniform(0, 2 * np.pi)
    across = np.float32(np.cos(angle)) * x + np.float32(np.sin(angle)) * y
    across = (across - across.min()) / max(float(np.ptp(across)), 1e-6)
    fallen = 1 - scene.light * across - scene.vignette * (x**2 + y**2) / (1 + (height / width) ** 2)
    if scene.shadow:
        fallen *= 1 - scene.shadow * _shadow(x, y, rng)
    lit: Map = np.maximum(fallen, 0.05).astype(np.float32)
    return lit


def _shadow(x: Map, y: Map, rng: np.random.Generator) -> Map:
    """Return 1 in the soft-edged shadow of a hand or phone that reaches in from one side, else 0."""
    angle = rng.uniform(0, 2 * np.pi)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    along, aside = x * cos + y * sin, y * cos - x * sin
    softness = float(rng.uniform(0.02, 0.15))
    wave = 0.08 * np.sin(aside * float(rng.uniform(2, 6)) + float(rng.uniform(0, 6)))
    edge = (along - float(rng.uniform(-0.3, 0.4)) + wave) / softness
    side = (float(rng.uniform(0.3, 1.2)) - np.abs(aside - float(rng.uniform(-0.4, 0.4)))) / softness
    shade: Map = np.clip(0.5 + np.minimum(edge, side), 0, 1)
    return shade


def _draw_window(picture: Image.Image, share: float) -> None:
    """Draw the border and title bar of a window around the picture."""
    width, height = picture.size
    bar = max(2, round(share * min(picture.size)))
    thin = max(1, bar // 6)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 0, width - 1, height - 1), outline=(60, 62, 66), width=thin)
    pen.rectangle((0, 0, width - 1, bar), fill=(60, 62, 66))
    for place, colour in enumerate([(236, 96, 86), (240, 190, 70), (98, 198, 84)]):
        x, y, radius = bar * (1 + place), bar / 2, bar / 4
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
