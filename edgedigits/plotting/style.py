"""Style of all figures, and their output as PNG and SVG.

Figures are narrow, so that text stays readable on a phone.
"""

import io
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#1f2328"
GRID = "#d0d7de"
# Distinct for any colour vision: Okabe and Ito 2008, "Color Universal Design".
BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, YELLOW = (
    "#0072b2", "#d55e00", "#009e73", "#e69f00", "#cc79a7", "#56b4e9", "#f0e442",
)  # fmt: skip
WIDTH = 4.6
"""Width of a figure in inches."""
DPI = 160
LONGEST_LABEL = 16


def new_figure(width: float = WIDTH, height: float = 3.2) -> "Figure":
    """Return an empty white figure; sizes in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained", facecolor="white")


def bare_axes(width: float, height: float) -> "tuple[Figure, Axes]":
    """Return a new figure filled by axes without ticks and frame; sizes in inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), facecolor="white")
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    return figure, axes


def tidy(axes: "Axes", *, xlabel: str = "", ylabel: str = "") -> None:
    """Set labels and colours, and remove the upper and right frame."""
    axes.set_xlabel(xlabel, color=INK)
    axes.set_ylabel(ylabel, color=INK)
    axes.set_axisbelow(True)
    axes.grid(color=GRID, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(INK)
    axes.tick_params(colors=INK, labelsize=9)


def escape(label: str) -> str:
    """Return a label that is short and contains no formula."""
    short = label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1]}…"
    return short.replace("$", r"\$")


def to_png(figure: "Figure") -> bytes:
    return _saved(figure, "png", {"Software": None})


def to_svg(figure: "Figure") -> bytes:
    """Return the figure as SVG; the same figure gives the same bytes."""
    return _saved(figure, "svg", {"Date": None})


def _saved(figure: "Figure", file_format: str, metadata: dict[str, Any]) -> bytes:
    import matplotlib

    file = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "edgedigits", "svg.fonttype": "path"}):
        figure.savefig(file, format=file_format, dpi=DPI, metadata=metadata)
    return file.getvalue()


def file_name(text: str) -> str:
    """Return `text` as part of a file name."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text)
