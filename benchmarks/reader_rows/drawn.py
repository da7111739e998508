"""Rows of drawn pictures: pages of text, touching digits, MNIST as PNG files, and clips without digits."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from benchmarks.publishing import mnist_test, png
from benchmarks.reader_rows.collected import without_digit
from benchmarks.reader_rows.row import Row, share_row
from edgedigits.data import hands
from edgedigits_runtime.live.settling import Settling
from edgedigits_runtime.reading.reader import Reader

SEED = 22
FONTS = Path("/usr/share/fonts")
LINES, COLUMNS, PAGES = 18, 34, 6
LETTERS = "etaoinshrdlucmfwypvbgkjqxzETAOINSHRDLUCMFWYPVBGKJQXZ"
PAIRS = 200
CLIP_FRAMES, CLIP_FPS, CLIP_SIZE = 60, 10.0, (640, 480)


def text_rows(reader: Reader) -> Iterator[Row]:
    """Yield how many digits are read in 200 letters, of printed and of handwritten pages."""
    rng = np.random.default_rng(SEED)
    characters = hands.load_characters()
    letters = [ink for ink, name in zip(characters.ink, characters.names, strict=True) if not name.isdigit()]
    printed = [_printed(rng) for _ in range(PAGES)]
    written = [_written(letters, rng) for _ in range(PAGES)]
    for name, pages in (("printed", printed), ("handwritten", written)):
        digits = sum(len(reader.read(page).digits) for page, _ in pages)
        count = sum(letters for _, letters in pages)
        yield Row(f"pages of {name} text, digits in 200 letters", 200 * digits / count, 1.0, "digits", least=False)


def touching_rows(reader: Reader) -> Iterator[Row]:
    """Yield pairs and triples of MNIST's test digits that touch, their number not given."""
    test, rng = mnist_test(), np.random.default_rng(SEED)
    for count, name, target in ((2, "touching pairs", 85.0), (3, "touching triples", 70.0)):
        answers = []
        for _ in range(PAIRS):
            chosen = rng.integers(0, len(test), count)
            picture = _touching([test.images[k, ..., 0] for k in chosen])
            text = "".join(str(test.labels[k]) for k in chosen)
            answers.append((text, reader.read(picture).text.replace("\n", "/") == text))
        yield share_row(name, target, answers)


def mnist_row(reader: Reader) -> Iterator[Row]:
    """Yield the points that MNIST's test images lose as PNG files against arrays."""
    test = mnist_test()
    arrays = np.mean(reader.classifier.predict(test.images).argmax(axis=1) == test.labels)
    files = reader.read_many(png(image[..., 0]) for image in test.images)
    texts = [getattr(reading, "text", "") for reading in files]
    right = np.mean([text == str(label) for text, label in zip(texts, test.labels.tolist(), strict=True)])
    yield Row("MNIST test as PNG against arrays", 100 * float(arrays - right), 0.02, "points lost", least=False)


def clip_row(reader: Reader) -> Iterator[Row]:
    """Yield the numbers that settle in 10 minutes of a camera that pans over pictures without a digit."""
    rng, numbers, frames = np.random.default_rng(SEED), 0, 0
    for path in without_digit():
        with Image.open(path) as image:
            picture = image.convert("RGB")
        settling = Settling()
        for number in range(CLIP_FRAMES):
            digits = reader.read(_frame(picture, number / CLIP_FRAMES, rng)).digits
            numbers += settling.update(digits, number / CLIP_FPS).new
            frames += 1
    minutes = frames / CLIP_FPS / 60
    yield Row("numbers told in 10 minutes without a digit", 10 * numbers / minutes, 0.0, "numbers", least=False)


def _printed(rng: np.random.Generator) -> tuple[NDArray[np.uint8], int]:
    """Return a page of printed words, uint8 [H, W], and its number of letters."""
    paths = sorted(str(path) for path in FONTS.rglob("*.ttf"))
    size = int(rng.integers(16, 30))
    font = ImageFont.truetype(paths[int(rng.integers(len(paths)))], size) if paths else ImageFont.load_default(size)
    page = Image.new("L", (20 + int(0.7 * size * COLUMNS), 20 + int(1.5 * size * LINES)), 240)
    draw, count = ImageDraw.Draw(page), 0
    for line in range(LINES):
        words = ["".join(rng.choice(list(LETTERS), rng.integers(2, 9))) for _ in range(COLUMNS // 6)]
        count += sum(map(len, words))
        draw.text((10, 10 + 1.5 * size * line), " ".join(words), 30, font)
    return np.asarray(page), count


def _written(letters: list[NDArray[np.uint8]], rng: np.random.Generator) -> tuple[NDArray[np.uint8], int]:
    """Return a page of handwritten letters in words, uint8 [H, W], and their number."""
    page, count = np.full((44 * LINES, 30 * COLUMNS), 235, np.uint8), 0
    for line in range(LINES):
        left, word = 10, int(rng.integers(2, 9))
        while left < page.shape[1] - 60:
            ink = letters[int(rng.integers(len(letters)))]
            height, width = ink.shape
            top = 44 * line + max(0, 38 - height)
            part = page[top : top + height, left : left + width]
            part -= np.minimum(ink[: part.shape[0], : part.shape[1]], part - 20)
            left, word, count = left + width + 3, word - 1, count + 1
            if not word:
                left, word = left + 22, int(rng.integers(2, 9))
    return page, count


def _touching(digits: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Return digits, uint8 [28, 28], side by side, moved together until they touch, dark on light and enlarged."""
    row = digits[0]
    for digit in digits[1:]:
        width = row.shape[1]
        for shift in range(width, width - 28, -1):
            overlap = row[:, shift:] > 128
            if (overlap[:, : width - shift] & (digit[:, : width - shift] > 128)).any():
                break
        joined = np.zeros((28, shift + 1 + 28), np.uint8)
        joined[:, :width] = row[:, : joined.shape[1]]
        np.maximum(joined[:, shift + 1 :], digit, out=joined[:, shift + 1 :])
        row = joined
    large = Image.fromarray(255 - np.pad(row, 14)).resize((4 * (row.shape[1] + 28), 4 * 56), Image.Resampling.BICUBIC)
    return np.asarray(large)


def _frame(picture: Image.Image, time: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return what a camera sees at a time, 0..1, that pans over a picture and comes nearer, with its noise."""
    zoom = 0.9 - 0.4 * time
    width, height = zoom * picture.width, zoom * picture.height
    left, top = (picture.width - width) * time, (picture.height - height) * (1 - time)
    frame = picture.resize(CLIP_SIZE, Image.Resampling.BILINEAR, (left, top, left + width, top + height))
    noisy = np.asarray(frame) + rng.normal(0, 3, (CLIP_SIZE[1], CLIP_SIZE[0], 1))
    return np.clip(noisy, 0, 255).astype(np.uint8)
