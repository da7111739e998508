"""Scenes as data: paper, pens, light and camera of a page."""

from dataclasses import dataclass, replace

import numpy as np

from edgedigits_runtime.errors import UnknownName
from edgedigits_runtime.synthetic.paper import Colour

BLACK: Colour = (28, 28, 32)
BLUE: Colour = (38, 58, 150)
RED: Colour = (186, 34, 44)
GREEN: Colour = (24, 120, 66)
GREY: Colour = (98, 98, 102)
WHITE: Colour = (238, 238, 230)


@dataclass(frozen=True)
class Scene:
    """Paper, pens, light and camera. Lengths are fractions of the picture's longer side.

    Args:
        ground: RGB of the blank paper.
        pens: RGB of each pen's full ink; pen n of a page is pens[n % len(pens)].
        grain: how much the paper's roughness breaks up strokes, 0..1.
        fibre: standard deviation of the paper's texture, in grey levels.
        line_spacing: spacing of ruled lines; 0 for none.
        squared: rule lines in both directions.
        line_colour: RGB of the ruled lines.
        margin_line: draw the red margin line of a school book.
        panel: RGB of a filled panel around every second line, and of the ink on it; None for no panels.
        dirt: number of specks, stains and creases.
        table: RGB of the table beyond the page's edge; None if the edge is out of the picture.
        border: width of a window's title bar around the picture, in fractions of the shorter side, up to 0.04.
        light: share of light lost from the brightest side to the darkest, 0..1.
        shadow: share of light lost in the shadow of a hand or phone, 0..1.
        vignette: share of light lost in the corners, 0..1.
        tilt: how far perspective moves corners inwards, as a fraction of the size, 0 to 0.3.
        turn: standard deviation of the rotation, in degrees.
        blur: radius of the camera's Gaussian blur, in pixels.
        noise: standard deviation of the sensor noise, in grey levels.
        jpeg: JPEG quality of the picture, 1 to 95; None for no compression.
    """

    ground: Colour = (252, 252, 250)
    pens: tuple[Colour, ...] = (BLACK,)
    grain: float = 0.0
    fibre: float = 0.0
    line_spacing: float = 0.0
    squared: bool = False
    line_colour: Colour = (168, 190, 220)
    margin_line: bool = False
    panel: tuple[Colour, Colour] | None = None
    dirt: int = 0
    table: Colour | None = None
    border: float = 0.0
    light: float = 0.0
    shadow: float = 0.0
    vignette: float = 0.0
    tilt: float = 0.0
    turn: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    jpeg: int | None = None


_SCAN = Scene(ground=(246, 245, 242), pens=(BLACK, BLUE), grain=0.12, fibre=1.0, turn=0.8, blur=0.5, noise=1.5)
_PHONE = replace(
    _SCAN,
    ground=(216, 210, 200),
    fibre=2.0,
    light=0.35,
    vignette=0.15,
    tilt=0.06,
    turn=2.5,
    blur=1.1,
    noise=3.5,
    jpeg=80,
)
_NOTEBOOK = replace(_PHONE, ground=(230, 230, 226), pens=(BLUE, BLACK), squared=True)
_BOARD = Scene(
    ground=(40, 62, 52), pens=(WHITE,), grain=0.4, fibre=3.0, light=0.2, tilt=0.04, turn=1.5, blur=0.9, noise=3, jpeg=80
)

SCENES: dict[str, Scene] = {
    "drawing program": Scene(ground=(255, 255, 255), pens=((0, 0, 0),)),
    "inverted drawing": Scene(ground=(0, 0, 0), pens=((255, 255, 255),)),
    "scan": _SCAN,
    "dirty scan": Scene(ground=(236, 234, 228), grain=0.2, fibre=2.0, dirt=25, blur=0.6, noise=3, jpeg=70),
    "screen capture": Scene(ground=(250, 250, 250), pens=((10, 10, 10), RED), border=0.03, jpeg=90),
    "phone": _PHONE,
    "phone in lamplight": replace(_PHONE, ground=(226, 200, 158), light=0.5, noise=6.0, blur=1.4),
    "phone in shade": replace(_PHONE, shadow=0.45, light=0.2),
    "page on a table": replace(_PHONE, table=(72, 52, 40), tilt=0.12, turn=4.0),
    "page on a dark table": replace(_PHONE, ground=(226, 224, 220), table=(28, 28, 30), shadow=0.25, tilt=0.1),
    "ruled notebook": replace(_PHONE, ground=(228, 226, 220), pens=(BLUE, BLACK), line_spacing=0.045, margin_line=True),
    "squared notebook": replace(_NOTEBOOK, line_spacing=0.025),
    "squared notebook in shade": replace(
        _NOTEBOOK, pens=(BLUE,), line_spacing=0.03, shadow=0.4, table=(60, 46, 38), tilt=0.09
    ),
    "coloured paper": replace(_PHONE, ground=(240, 214, 110), pens=(BLACK, RED, GREEN)),
    "coloured pens": replace(_PHONE, ground=(234, 233, 230), pens=(RED, GREEN, BLUE, (120, 40, 140))),
    "pencil": replace(_PHONE, ground=(226, 224, 218), pens=(GREY,), grain=0.35, light=0.2),
    "kraft card": replace(_PHONE, ground=(178, 142, 104), pens=(BLACK,), fibre=5.0),
    "blackboard": replace(_BOARD, pens=(WHITE, (240, 220, 130)), grain=0.6, fibre=4.0, dirt=8, light=0.3),
    "whiteboard": replace(
        _PHONE, ground=(214, 218, 222), pens=(BLUE, RED, GREEN, BLACK), grain=0.2, light=0.45, vignette=0.25
    ),
    "form with dark fields": replace(_PHONE, panel=((34, 36, 44), WHITE)),
    "paper on a blackboard": replace(_BOARD, panel=((226, 224, 218), BLACK)),
    "messenger": replace(_PHONE, blur=1.6, noise=6.0, jpeg=30),
}
"""Typical pictures of handwriting, by name."""


def scene_named(name: str) -> Scene:
    """Return the scene `name` of SCENES.

    Raises:
        UnknownName: there is no such scene.
    """
    if name not in SCENES:
        raise UnknownName("scene", name, SCENES)
    return SCENES[name]


def draw_scene(rng: np.random.Generator) -> Scene:
    """Return a random one of SCENES with random changes to its colours and strengths."""
    scene = list(SCENES.values())[rng.integers(len(SCENES))]
    if scene.noise == 0:
        return scene
    strengths = {
        name: getattr(scene, name) * float(rng.uniform(0.4, 1.3))
        for name in ("light", "shadow", "vignette", "tilt", "turn", "blur", "noise", "grain", "fibre", "line_spacing")
    }
    first = int(rng.integers(len(scene.pens)))
    return replace(
        scene,
        ground=_varied(scene.ground, rng),
        pens=tuple(_varied(pen, rng) for pen in scene.pens[first:] + scene.pens[:first]),
        panel=scene.panel and (_varied(scene.panel[0], rng), _varied(scene.panel[1], rng)),
        **strengths,
    )


def _varied(colour: Colour, rng: np.random.Generator) -> Colour:
    moved = np.clip(np.array(colour) * rng.uniform(0.9, 1.08) + rng.normal(0, 4, 3), 0, 255)
    red, green, blue = np.rint(moved).astype(int).tolist()
    return red, green, blue
