"""Make one self-contained HTML page of sections.

Every function returns HTML and escapes its text arguments; callers never escape.
"""

import base64
import html
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from PIL import Image

from edgedigits.plotting.style import to_svg
from edgedigits_runtime.preprocessing import Images

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The browser refuses any request to the network.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
LARGEST_IMAGE = 128
"""Side in pixels to which images of a dataset are scaled down."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A figure of the page, which is also written as PNG and SVG under its name.

    Args:
        alt: text alternative.
        wide: use the full width and scroll on a narrow screen.
        on_page: False if the page has the same content as HTML.
    """

    name: str
    figure: "Figure"
    alt: str
    caption: str = ""
    wide: bool = False
    on_page: bool = True

    @cached_property
    def svg(self) -> bytes:
        return to_svg(self.figure)


@dataclass(frozen=True, eq=False)
class Section:
    """A part of the page: HTML blocks, figures to write as files, and a line for each missing fact."""

    anchor: str
    title: str
    blocks: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    missing: tuple[str, ...] = ()


def page(title: str, subtitle: str, sections: Sequence[Section]) -> str:
    """Return the whole page."""
    style = files("edgedigits.reports").joinpath("page.css").read_text("utf-8")
    links = "".join(f'<a href="#{one.anchor}">{text(one.title)}</a>' for one in sections)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f'<link rel="icon" href="data:,"><title>{text(title)}</title>\n<style>\n{style}</style></head>\n'
        f"<body><header><h1>{text(title)}</h1><p>{text(subtitle)}</p></header>\n"
        f'<nav aria-label="Sections">{links}</nav>\n<main>\n'
        + "\n".join(map(_section, sections))
        + "\n</main></body></html>\n"
    )


def _section(section: Section) -> str:
    missing = "".join(f'<p class="missing"><b>Missing:</b> {text(line)}</p>' for line in section.missing)
    body = "\n".join(section.blocks)
    return f'<section id="{section.anchor}"><h2>{text(section.title)}</h2>\n{missing}{body}</section>'


def text(plain: str) -> str:
    """Return text as HTML."""
    return html.escape(plain)


def paragraph(plain: str) -> str:
    return f"<p>{text(plain)}</p>"


def warning(plain: str) -> str:
    """Return a highlighted paragraph."""
    return f'<p class="missing"><b>Mind:</b> {text(plain)}</p>'


def heading(plain: str) -> str:
    return f"<h3>{text(plain)}</h3>"


def tiles(facts: Iterable[tuple[str, str, str]]) -> str:
    """Return a row of figures: (name, figure, note)."""
    cells = "".join(
        f"<div><dt>{text(what)}</dt><dd><b>{text(figure)}</b><span>{text(note)}</span></dd></div>"
        for what, figure, note in facts
    )
    return f'<dl class="tiles">{cells}</dl>'


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers_from: int = 1) -> str:
    """Return a table; the first cell of a row is its heading, and columns from `numbers_from` on are numbers."""

    def kind(column: int) -> str:
        return ' class="number"' if column >= numbers_from else ""

    top = "".join(f'<th scope="col"{kind(i)}>{text(name)}</th>' for i, name in enumerate(head))
    body = "".join(
        f'<tr><th scope="row">{text(row[0])}</th>'
        + "".join(f"<td{kind(i)}>{text(cell)}</td>" for i, cell in enumerate(row[1:], start=1))
        + "</tr>"
        for row in rows
    )
    # Focusable, so that the keyboard scrolls a wide table.
    return (
        f'<div class="scroll" tabindex="0"><table><caption>{text(caption)}</caption>'
        f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def charts(pictures: Iterable[Picture]) -> str:
    """Return pictures side by side if they fit."""
    return f'<div class="charts">{"".join(map(_chart, pictures))}</div>'


def _chart(picture: Picture) -> str:
    caption = f"<figcaption>{text(picture.caption)}</figcaption>" if picture.caption else ""
    image = f'<img alt="{text(picture.alt)}" src="{data_url(picture.svg, "image/svg+xml")}">'
    if picture.wide:
        return f'<figure class="chart wide"><div class="scroll" tabindex="0">{image}</div>{caption}</figure>'
    return f'<figure class="chart">{image}{caption}</figure>'


def pair(*blocks: str) -> str:
    """Return blocks side by side if they fit."""
    return f'<div class="pair">{"".join(f"<div>{block}</div>" for block in blocks)}</div>'


def cards(each: Iterable[str], kind: str = "") -> str:
    """Return cards in as many columns as fit."""
    return f'<div class="cards {kind}">{"".join(each)}</div>'


def card(image: str, lines: Sequence[str], *, marked: bool = False, below: str = "") -> str:
    """Return a small image (HTML) with lines of text, the first one strong, and HTML `below`; mark it as a mistake."""
    first, *others = (text(line) for line in lines)
    caption = "<br>".join([f"<b>{first}</b>", *others])
    marking = ' class="wrong"' if marked else ""
    return f"<figure{marking}>{image}<figcaption>{caption}</figcaption>{below}</figure>"


def bars(shares: Iterable[tuple[str, float, bool]]) -> str:
    """Return probabilities as bars: (label, 0..1, whether it is the true one)."""
    lines = "".join(
        f"<li{' class=true' if right else ''}><span>{text(label)}</span>"
        f'<i style="width:{100 * share:.1f}%"></i><span>{share:.1%}</span></li>'
        for label, share, right in shares
    )
    return f'<ol class="bars">{lines}</ol>'


def pixels(image: Images, alt: str) -> str:
    """Return an image of a dataset, uint8 [H, W, C]; of other than 3 channels the first is drawn."""
    picture = Image.fromarray(image if image.shape[-1] == 3 else image[..., 0])
    picture.thumbnail((LARGEST_IMAGE, LARGEST_IMAGE))
    return f'<img class="pixels" alt="{text(alt)}" src="{_png_url(picture)}">'


def photo(picture: Image.Image, alt: str) -> str:
    """Return a photograph or drawing."""
    return f'<img alt="{text(alt)}" src="{_png_url(picture)}">'


def _png_url(picture: Any) -> str:
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return data_url(file.getvalue(), "image/png")


def data_url(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
