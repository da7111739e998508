"""What others published at these sizes, on the 10,000 MNIST test images, for `edgedigits models plot`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """One published network.

    Attributes:
        label: for a figure.
        accuracy: as published, 0..1.
        parameters: as published; the least where only that was.
        bytes: of its int8 file, which nobody published: measured on our reproduction, see docs/published.md.
    """

    label: str
    accuracy: float
    parameters: int
    bytes: int | None = None


PUBLISHED = (
    Published("575", 0.98, 575),
    Published("3,077", 0.974, 3_077),
    Published("7,070", 0.994, 7_070),
    Published("8,640", 0.992, 8_640),
    Published("plain-3conv", 0.989, 93_322, bytes=106_358),
    Published("best single CNN,\nover 1 million", 0.9983, 1_000_000),
)
