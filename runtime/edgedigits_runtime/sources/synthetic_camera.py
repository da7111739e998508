"""The synthetic camera: handwritten numbers that move over paper, with noise, shadow, stalls and failures.

For tests, and for trying live reading without a camera. `Film.written_at` returns the number at any time.
"""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from edgedigits_runtime.clock import Clock
from edgedigits_runtime.errors import SourceUnavailable, StreamLost
from edgedigits_runtime.sources.frame_source import Kind, Shot
from edgedigits_runtime.synthetic.handwriting import SMALLEST, draw_digit

PAPER, INK = (226, 222, 212), (34, 38, 60)

NOISES = 8
"""Sheets of noise that frames choose from and shift; new noise for each frame would be slow."""


@dataclass(frozen=True)
class Film:
    """Content of a synthetic camera's picture over time.

    Args:
        numbers: displayed in turn, repeated from the first; "" is blank paper.
        seconds: display time of each number.
        size: width and height of the picture, in pixels.
        fps: frames per second.
        digit_height: in pixels.
        speed: of the number, in pixels per second; it turns back at the edges.
        noise: standard deviation of the sensor noise, in grey levels.
        shadow: share of light lost in a moving shadow, 0..1.
        stalls: (start, length) in seconds from the first opening, without frames or errors.
        failures: (start, length) in seconds, with the camera unplugged.
        sizes: (time, width, height): changes of the picture's size.
    """

    numbers: tuple[str, ...] = ("42", "7", "1905")
    seconds: float = 4.0
    size: tuple[int, int] = (640, 480)
    fps: float = 30.0
    digit_height: int = 110
    speed: float = 40.0
    noise: float = 4.0
    shadow: float = 0.35
    stalls: tuple[tuple[float, float], ...] = ()
    failures: tuple[tuple[float, float], ...] = ()
    sizes: tuple[tuple[float, int, int], ...] = ()

    def written_at(self, time: float) -> str:
        """Return the number displayed at `time`, in seconds from the start."""
        return self.numbers[int(time / self.seconds) % len(self.numbers)]

    def size_at(self, time: float) -> tuple[int, int]:
        """Return width and height of the picture at `time`."""
        changed = [(width, height) for since, width, height in self.sizes if since <= time]
        return changed[-1] if changed else self.size


@dataclass(frozen=True)
class SyntheticCamera:
    """A camera that films in real time; unread frames are dropped.

    Args:
        film: content of the pictures.
        seed: of handwriting, noise and positions; the same seed gives the same pictures.
        clock: clock of the frames.
    """

    film: Film = field(default_factory=Film)
    seed: int = 0
    clock: Clock = field(default_factory=Clock)
    kind: Kind = "live"
    _began: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"synthetic:{self.seed}"

    def connect(self) -> "SyntheticCapture":
        """Open the camera; the first opening starts the film.

        Raises:
            SourceUnavailable: the film has a failure now.
        """
        if not self._began:
            self._began.append(self.clock.now())
        if _end_of(self.film.failures, self.clock.now() - self._began[0]) is not None:
            raise SourceUnavailable(f"{self.name} cannot be opened: unplugged")
        return SyntheticCapture(self, self._began[0])

    def picture(self, number: int) -> NDArray[np.uint8]:
        """Return the frame of that number, RGB uint8 [H, W, 3]; the same number gives the same picture."""
        film, time = self.film, number / self.film.fps
        width, height = film.size_at(time)
        picture = _paper(self.seed, width, height).copy()
        written = film.written_at(time)
        if written:
            ink = _ink(self.seed, written, film.digit_height, (width, height))
            starts = np.random.default_rng([self.seed, 1]).uniform(40, 240, 2).tolist()
            x = _to_and_fro(starts[0] + film.speed * time, width - ink.shape[1])
            y = _to_and_fro(starts[1] + film.speed * 0.43 * time, height - ink.shape[0])
            window = picture[y : y + ink.shape[0], x : x + ink.shape[1]]
            window += (np.array(INK, np.float32) - window) * ink[..., np.newaxis]
        if film.shadow:
            picture *= _shadowed(width, height, film.shadow, time)[..., np.newaxis]
        if film.noise:
            rng = np.random.default_rng([self.seed, number])
            noise = _noises(self.seed, width, height)[rng.integers(NOISES)]
            picture += film.noise * np.roll(noise, int(rng.integers(width * height)))[..., np.newaxis]
        return np.clip(picture, 0, 255).astype(np.uint8)


class SyntheticCapture:
    """Connection to a synthetic camera."""

    def __init__(self, camera: SyntheticCamera, began: float) -> None:
        self.fps, self.ended = camera.film.fps, False
        self._camera, self._began = camera, began
        self._next = 0

    def grab(self) -> Shot:
        """Wait for the next frame.

        Raises:
            StreamLost: the film has a failure now.
        """
        film, clock = self._camera.film, self._camera.clock
        # Half a frame of tolerance, so that a caller who returns just in time misses nothing.
        self._next = max(self._next, int((clock.now() - self._began) * film.fps + 0.5))
        due = self._began + self._next / film.fps
        # Rounding may end a sleep a moment early, again and again.
        while (left := due - clock.now()) > 1e-9:
            clock.sleep(left)
        time = clock.now() - self._began
        if (stalled := _end_of(film.stalls, time)) is not None:
            clock.sleep(stalled - time)
            return self.grab()
        if _end_of(film.failures, time) is not None:
            raise StreamLost(f"{self._camera.name} sends no more pictures: unplugged")
        number, self._next = self._next, self._next + 1
        return Shot(self._camera.picture(number))

    def close(self) -> None:
        """Do nothing, because nothing is open."""


def _end_of(spans: tuple[tuple[float, float], ...], time: float) -> float | None:
    """Return the end of the (start, length) span that contains `time`, or None."""
    return next((begin + length for begin, length in spans if begin <= time < begin + length), None)


def _to_and_fro(way: float, room: int) -> int:
    """Return the position after moving `way` between 0 and `room`, turning back at both."""
    room = max(room, 1)
    place = way % (2 * room)
    return int(min(place, 2 * room - place))


@lru_cache(maxsize=8)
def _paper(seed: int, width: int, height: int) -> NDArray[np.float32]:
    """Return blank, unevenly lit paper, float32 [H, W, 3]."""
    angle = np.random.default_rng([seed, 2]).uniform(0, 2 * np.pi)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    across = np.cos(angle) * (x / width - 0.5) + np.sin(angle) * (y / height - 0.5)
    lit = (0.9 + 0.15 * across).astype(np.float32)
    return np.asarray(np.array(PAPER, np.float32) * lit[..., np.newaxis], np.float32)


@lru_cache(maxsize=32)
def _ink(seed: int, number: str, height: int, room: tuple[int, int]) -> NDArray[np.float32]:
    """Return a written number, float32 [h, w], 0 blank to 1 full ink, reduced to fit into `room`."""
    rng = np.random.default_rng([seed, 3, *map(int, number)])
    height = max(height, SMALLEST)
    gap = np.zeros((height, round(0.22 * height)), np.uint8)
    parts = []
    for digit in number:
        drawn = draw_digit(int(digit), rng, size=height, thickness=max(1.0, 0.085 * height))
        columns = np.flatnonzero(drawn.any(axis=0))
        parts += [drawn[:, columns[0] : columns[-1] + 1], gap]
    ink = np.concatenate(parts[:-1], axis=1)
    image = Image.fromarray(np.pad(ink, 3)).filter(ImageFilter.GaussianBlur(0.8))
    image.thumbnail(room)
    return np.asarray(image, np.float32) / np.float32(255)


@lru_cache(maxsize=4)
def _noises(seed: int, width: int, height: int) -> NDArray[np.float32]:
    """Return sheets of noise with standard deviation 1, float32 [NOISES, H, W]."""
    return np.random.default_rng([seed, 4]).standard_normal((NOISES, height, width), np.float32)


def _shadowed(width: int, height: int, strength: float, time: float) -> NDArray[np.float32]:
    """Return the share of light on each pixel, float32 [H, W], with a moving, soft-edged shadow."""
    x = np.linspace(0, 1, width, dtype=np.float32)[np.newaxis]
    y = np.linspace(0, 1, height, dtype=np.float32)[:, np.newaxis]
    edge = 0.35 + 0.25 * np.sin(0.7 * time)
    shade = np.clip((edge - x - 0.2 * (y - 0.5)) / 0.08 + 0.5, 0, 1)
    return np.asarray(1 - strength * shade, dtype=np.float32)
