"""Outputs of a live reading: overlay, video file, preview page and window."""

import json
import re
import shutil
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import sync_playwright

from edgedigits_runtime.errors import DeviceUnavailable, MissingExtra, OutputNotWritable, UnknownName
from edgedigits_runtime.live.outputs import OutputOptions, Window, open_outputs
from edgedigits_runtime.live.overlay import draw_overlay
from edgedigits_runtime.live.preview import Preview, host_and_port
from edgedigits_runtime.live.video_output import MOST_REPEATED, VideoOutput, open_video_output
from edgedigits_runtime.live.watching import LiveReading, Watch
from edgedigits_runtime.reading.reader import Reader
from edgedigits_runtime.reading.results import Digit, Reading
from edgedigits_runtime.sources.frame_source import Frame
from edgedigits_runtime.sources.opencv import opencv
from edgedigits_runtime.sources.synthetic_camera import SyntheticCamera
from edgedigits_runtime.sources.video import VideoFile

PROGRAM = shutil.which("chromium")
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


def live(text: str = "42", size: tuple[int, int] = (320, 240), time: float = 0.0) -> LiveReading:
    digits = tuple(
        Digit(int(label), label, 0.99, (40 + 60 * k, 80, 40, 60), ((label, 0.99),)) for k, label in enumerate(text)
    )
    reading = Reading("camera 0", text, digits, "base", "litert", "cpu", ("XNNPACK",), {"total": 1.0})
    pixels = np.full((size[1], size[0], 3), 210, np.uint8)
    return LiveReading(
        reading, reading, (True,) * len(text), True, time, 30.0, Frame(pixels, 0, time, time, "camera 0")
    )


def frames_of(path: Path) -> list[np.ndarray]:
    capture, frames = VideoFile(path).connect(), []
    while (shot := capture.grab()) is not None:
        frames.append(shot.pixels)
    capture.close()
    return frames


@pytest.mark.parametrize("size", [(320, 240), (64, 48), (33, 17), (1920, 1080)])
def test_overlay_keeps_size_and_adds_caption(size: tuple[int, int]) -> None:
    drawn = np.asarray(draw_overlay(live(size=size), "30 fps"))
    assert drawn.shape[1] == size[0] and size[1] < drawn.shape[0] < 1.1 * size[1] + 30
    plain = np.asarray(draw_overlay(live("", size=size)))
    assert (plain[: size[1]] == 210).all()
    assert not np.array_equal(plain, drawn)


def test_video_repeats_each_picture_until_the_next(tmp_path: Path) -> None:
    shades = ((0.0, 0), (0.1, 60), (0.5, 120), (0.6, 180))
    with open_video_output(tmp_path / "a.avi", 10) as written:
        for time, shade in shades:
            written.add(Image.new("RGB", (64, 48), (shade, shade, shade)), 100 + time)
    means = [round(float(frame.mean()) / 60) for frame in frames_of(tmp_path / "a.avi")]
    assert means == [0, 1, 1, 1, 1, 2, 3]
    assert [path.name for path in tmp_path.iterdir()] == ["a.avi"]


def test_other_sizes_are_fitted_and_repeats_are_limited(tmp_path: Path) -> None:
    with open_video_output(tmp_path / "a.mp4", 30) as written:
        for time, size in ((0, (65, 49)), (1, (32, 100)), (100_000, (640, 480)), (100_000.1, (64, 48))):
            written.add(Image.new("RGB", size, (9, 200, 9)), time)
    frames = frames_of(tmp_path / "a.mp4")
    assert {frame.shape for frame in frames} == {(48, 64, 3)}
    assert len(frames) == 30 + MOST_REPEATED + 4


def test_interrupted_video_is_complete_and_empty_one_not_written(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), open_video_output(tmp_path / "a.mp4", 10) as written:
        written.add(Image.new("RGB", (64, 48)), 0)
        raise KeyboardInterrupt
    assert len(frames_of(tmp_path / "a.mp4")) == 2
    with open_video_output(tmp_path / "b.mp4", 10):
        pass
    assert not (tmp_path / "b.mp4").exists()


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
def test_failed_video_keeps_existing_file(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"precious")
    with (
        pytest.raises(OutputNotWritable, match=re.escape(name)),
        open_video_output(tmp_path / name, 10) as written,
    ):
        written.add(Image.new("RGB", (1, 200)), 0)
    assert (tmp_path / name).read_bytes() == b"precious"
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX resource limits")
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
def test_full_disk_is_an_error(name: str, tmp_path: Path) -> None:
    import resource

    (tmp_path / name).write_bytes(b"precious")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    pixels = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
        with pytest.raises(OutputNotWritable), open_video_output(tmp_path / name, 10) as written:
            for k in range(30):
                written.add(Image.fromarray(np.roll(pixels, k, axis=1)), k / 10)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (tmp_path / name).read_bytes() == b"precious"


def test_unwritable_video_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match=r"\.gif.*\.mp4, \.mkv, \.avi"):
        open_video_output(tmp_path / "a.gif", 10).__enter__()
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputNotWritable):
        VideoOutput(tmp_path / "file" / "a.mp4", 10).add(Image.new("RGB", (64, 48)), 0)


def test_window_needs_its_extra() -> None:
    if "GUI:                           NONE" not in opencv().getBuildInformation():
        pytest.skip("the installed OpenCV has windows")
    with pytest.raises(MissingExtra, match=r"\[window\]"):
        Window("a")


def test_window_needs_a_display_and_closes_by_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a stand-in, because the installed OpenCV has no windows."""

    class WithWindows:
        WND_PROP_VISIBLE = 4
        drawn: list[tuple[int, ...]] = []  # noqa: RUF012
        keys = [-1, ord("q")]  # noqa: RUF012

        def getBuildInformation(self) -> str:  # noqa: N802
            return "\n  GUI:                           QT5\n"

        def imshow(self, _: str, pixels: np.ndarray) -> None:
            self.drawn.append(tuple(pixels[0, 0].tolist()))

        def waitKey(self, _: int) -> int:  # noqa: N802
            return self.keys.pop(0)

        def getWindowProperty(self, *_: object) -> float:  # noqa: N802
            return 1.0

        def destroyAllWindows(self) -> None:  # noqa: N802
            self.drawn.clear()

    monkeypatch.setattr("edgedigits_runtime.live.outputs.opencv", WithWindows)
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(DeviceUnavailable, match="--preview"):
        Window("a")
    monkeypatch.setenv("DISPLAY", ":0")
    window, red = Window("a"), np.full((4, 4, 3), (255, 0, 0), np.uint8)
    assert window.show(red) and not window.show(red)
    assert WithWindows.drawn == [(0, 0, 255)] * 2
    window.close()


def test_host_and_port_are_parsed() -> None:
    assert host_and_port("8080") == ("127.0.0.1", 8080)
    assert host_and_port("0.0.0.0:80") == ("0.0.0.0", 80)
    assert host_and_port("[::1]:80") == ("::1", 80)
    for wrong in ("", "a", "1:b", "70000", "-1"):
        with pytest.raises(ValueError):
            host_and_port(wrong)


@pytest.fixture
def preview() -> Iterator[Preview]:
    preview = Preview("127.0.0.1", 0)
    yield preview
    preview.close()


def fetched(address: str, **headers: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_picture_is_drawn_only_for_viewers(preview: Preview) -> None:
    drawn: list[int] = []

    def draw() -> Image.Image:
        drawn.append(1)
        return draw_overlay(live())

    preview.show(draw, {"text": "42"})
    assert json.loads(fetched(f"{preview.address}reading.json")[1]) == {"text": "42"} and not drawn
    status, jpeg = fetched(f"{preview.address}frame.jpg")
    assert status == 200 and jpeg[:2] == b"\xff\xd8"
    fetched(f"{preview.address}frame.jpg")
    assert drawn == [1]


def test_page_is_local_by_default(preview: Preview) -> None:
    assert preview.address == f"http://localhost:{preview.port}/"
    assert fetched(preview.address, Host="evil.example")[0] == 403
    # A tunnel with another port, and the default port.
    assert fetched(preview.address, Host="localhost:9000")[0] == fetched(preview.address, Host="localhost")[0] == 200
    assert fetched(f"{preview.address}../preview.py")[0] == 404
    assert fetched(f"{preview.address}nothing")[0] == 404
    public = Preview("0.0.0.0", 0)
    try:
        here = f"http://127.0.0.1:{public.port}"
        assert public.prefix != "/" and public.address == f"http://0.0.0.0:{public.port}{public.prefix}"
        assert fetched(f"{here}/")[0] == fetched(f"{here}/frame.jpg")[0] == 404
        assert fetched(f"{here}{public.prefix}")[0] == 200
    finally:
        public.close()
    with pytest.raises(DeviceUnavailable, match=str(preview.port)):
        Preview("127.0.0.1", preview.port)


def test_page_on_ipv6() -> None:
    preview = Preview("::1", 0)
    try:
        assert preview.address == f"http://localhost:{preview.port}/"
        assert fetched(f"http://[::1]:{preview.port}/")[0] == 200
    finally:
        preview.close()


@pytest.mark.slow
@pytest.mark.skipif(PROGRAM is None, reason="needs the Debian package chromium")
def test_page_in_browser(tmp_path: Path, reader: Reader) -> None:
    """The picture moves and the number appears in Chromium."""
    watch = Watch(reader, SyntheticCamera(seed=1))
    seen: dict[str, object] = {}
    with open_outputs(OutputOptions(preview=("127.0.0.1", 0)), 10) as outputs:
        assert outputs.preview is not None
        address = outputs.preview.address

        def look() -> None:
            try:
                with sync_playwright() as playwright:
                    browser = playwright.chromium.launch(executable_path=PROGRAM, args=OPTIONS)
                    page = browser.new_page(viewport={"width": 800, "height": 800})
                    requests, errors = [], []
                    page.on("request", lambda request: requests.append(request.url))
                    page.on("console", lambda message: errors.append(message.text))
                    page.goto(address, wait_until="domcontentloaded")
                    page.locator("#text").filter(has_text=re.compile(r"^\d+$")).wait_for()
                    while page.evaluate("document.getElementById('picture').naturalWidth") != 640:
                        page.wait_for_timeout(50)
                    first = page.locator("#picture").screenshot()
                    page.wait_for_timeout(700)
                    seen["moved"] = page.locator("#picture").screenshot() != first
                    seen["text"] = page.locator("#text").inner_text()
                    seen["external"] = [url for url in requests if not url.startswith(address)]
                    seen["errors"] = [text for text in errors if "favicon" not in text and "404" not in text]
                    page.screenshot(path=str(tmp_path / "page.png"))
                    browser.close()
            finally:
                watch.stop()

        looking = threading.Thread(target=look)
        looking.start()
        for item in watch:
            assert isinstance(item, LiveReading)
            outputs.add(item, watch.counters)
        looking.join()
    assert seen["moved"] is True and str(seen["text"]) in ("42", "7", "1905")
    assert seen["external"] == [] and seen["errors"] == []
