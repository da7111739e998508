"""Video files by OpenCV, motion JPEG from a server on loopback, watched folders, and names of sources."""

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgedigits_runtime.clock import Clock
from edgedigits_runtime.errors import (
    EdgedigitsError,
    MissingExtra,
    PictureUnreadable,
    SourceNotFound,
    SourceUnavailable,
    StreamLost,
)
from edgedigits_runtime.live.preview import Preview
from edgedigits_runtime.live.watching import LiveReading, Notice, Watch, WatchOptions
from edgedigits_runtime.reading.reader import Reader
from edgedigits_runtime.sources import opencv as opencv_module
from edgedigits_runtime.sources.camera import Camera
from edgedigits_runtime.sources.filling_folder import FillingFolder
from edgedigits_runtime.sources.named import source_named
from edgedigits_runtime.sources.opencv import Capture, opencv
from edgedigits_runtime.sources.synthetic_camera import Film, SyntheticCamera
from edgedigits_runtime.sources.video import Stream, VideoFile
from tests.conftest import REPOSITORY
from tests.support.streamed_camera import streamed
from tests.support.virtual_clock import VirtualClock

CAMERA = SyntheticCamera(Film(numbers=("305",)), seed=2)
FPS = 15

cv2 = opencv_module.opencv()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of video."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (640, 480))
    for number in range(2 * FPS):
        writer.write(CAMERA.picture(2 * number)[..., ::-1])
    writer.release()
    return path


@pytest.fixture
def server() -> Iterator[Preview]:
    with streamed(CAMERA, 30) as preview:
        yield preview


def test_file_yields_every_frame_in_order_and_colour(clip: Path) -> None:
    capture = VideoFile(clip).connect()
    assert capture.fps == FPS
    shots = []
    while (shot := capture.grab()) is not None:
        shots.append(shot)
    capture.close()
    assert capture.ended and len(shots) == 2 * FPS
    assert [shot.time for shot in shots] == pytest.approx([k / FPS for k in range(2 * FPS)])
    means = [CAMERA.picture(20).mean(axis=(0, 1)), shots[10].pixels.mean(axis=(0, 1))]
    assert np.abs(means[0] - means[1]).max() < 3


def test_unevenly_spaced_frames_keep_their_times(clip: Path) -> None:
    class Uneven:
        """A capture with frames at these milliseconds; the last ones have no time."""

        places = (0.0, 100.0, 600.0, 0.0, 0.0)
        read_so_far = 0

        def get(self, what: int) -> float:
            return FPS if what == opencv().CAP_PROP_FPS else self.places[self.read_so_far - 1]

        def read(self) -> tuple[bool, Any]:
            self.read_so_far += 1
            return self.read_so_far <= len(self.places), np.zeros((4, 4, 3), np.uint8)

    capture = Capture(Uneven(), "uneven", is_file=True)
    times = []
    while (shot := capture.grab()) is not None:
        times.append(shot.time)
    assert times == pytest.approx([0, 0.1, 0.6, 0.6 + 1 / FPS, 0.6 + 2 / FPS])


def test_file_is_read_to_its_end(clip: Path, reader: Reader) -> None:
    items = list(Watch(reader, source_named(str(clip))))
    assert len(items) == 2 * FPS
    assert [item.reading.text for item in items if isinstance(item, LiveReading) and item.new] == ["305"]


@pytest.mark.parametrize("content", [b"", b"no video", b"\0" * 1000])
def test_invalid_video_is_one_error(content: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(SourceUnavailable, match=r"a\.mp4"):
        VideoFile(path).connect()
    assert capfd.readouterr().err == ""


def test_truncated_file_is_read_in_part_or_an_error(clip: Path, tmp_path: Path, reader: Reader) -> None:
    whole = clip.read_bytes()
    for kind, size in (("mp4", len(whole) // 2), ("avi", 60_000)):
        path = tmp_path / f"cut.{kind}"
        if kind == "avi":
            writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FPS, (640, 480))
            for number in range(6):
                writer.write(CAMERA.picture(number))
            writer.release()
            whole = path.read_bytes()
        path.write_bytes(whole[:size])
        try:
            items = list(Watch(reader, VideoFile(path)))
        except EdgedigitsError as error:
            assert path.name in str(error)
        else:
            assert kind == "avi" and 0 < len(items) < 6


def test_motion_jpeg_over_http_is_read_live(server: Preview, reader: Reader) -> None:
    watch = Watch(reader, source_named(f"{server.address}stream.mjpg"), WatchOptions(max_fps=15))
    for item in watch:
        assert isinstance(item, LiveReading), item
        if item.new:
            watch.stop()
    assert item.reading.text == "305"
    assert item.reading.source == f"{server.address}stream.mjpg"
    assert watch.counters.captured > watch.counters.read


@pytest.mark.slow
def test_stream_is_reconnected(server: Preview, reader: Reader) -> None:
    watch = Watch(reader, Stream(f"{server.address}stream.mjpg"))
    port, notices, restarted = server.port, [], None
    for item in watch:
        if isinstance(item, Notice):
            notices.append(item.text)
            if len(notices) > 1:
                restarted = restarted or Preview("127.0.0.1", port)
                restarted.show(lambda: Image.fromarray(CAMERA.picture(0)), {})
        elif watch.counters.read == 5:
            server.close()
        elif notices and restarted is not None:
            watch.stop()
    assert restarted is not None
    restarted.close()
    assert " 0.5 s" in notices[0] and watch.frames.connections == 2


def test_unavailable_stream_is_an_error_without_password() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://user:secret@127.0.0.1:{unused.getsockname()[1]}/video"
        stream = Stream(address)
        with pytest.raises(SourceUnavailable, match=r"http://user:\*\*\*@127") as error:
            stream.connect()
    assert "secret" not in str(error.value) and "secret" not in stream.name


@pytest.mark.parametrize("name", ["nothing.mp4", "ftp://host/a", "http://", "http://[", "video0", "synthetic:x", "-1"])
def test_unknown_name_is_an_error_with_expected_names(name: str) -> None:
    with pytest.raises(SourceNotFound, match="/dev/video0, picamera"):
        source_named(name)


def test_names_of_each_kind(clip: Path, tmp_path: Path) -> None:
    assert source_named("/dev/video7") == Camera("/dev/video7")
    assert source_named("rtsp://host/a") == Stream("rtsp://host/a")
    assert source_named(str(clip)) == VideoFile(clip)
    assert source_named("synthetic:7").name == "synthetic:7"
    folder = source_named(str(tmp_path))
    assert isinstance(folder, FillingFolder) and folder.kind == "pictures"


def test_picture_is_not_a_video(tmp_path: Path) -> None:
    (tmp_path / "a.JPG").touch()
    with pytest.raises(SourceUnavailable, match=r"edgedigits predict .*a\.JPG"):
        source_named(str(tmp_path / "a.JPG"))
    (tmp_path / "moving.gif").touch()
    assert source_named(str(tmp_path / "moving.gif")) == VideoFile(tmp_path / "moving.gif")


def test_missing_camera_is_an_error() -> None:
    with pytest.raises(SourceNotFound, match=r"/dev/video99.*synthetic"):
        Camera(99).connect()


def test_missing_opencv_names_the_extra(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "cv2", None)
    opencv_module.opencv.cache_clear()
    with pytest.raises(MissingExtra, match=r"edgedigits\[camera\]"):
        VideoFile(clip).connect()
    monkeypatch.undo()
    opencv_module.opencv.cache_clear()


EXAMPLES = ["3-blue-pen.jpg", "5-white-on-black-28x28.png"]


def test_folder_yields_present_and_new_pictures(tmp_path: Path, reader: Reader) -> None:
    shutil.copy(REPOSITORY / "examples" / EXAMPLES[0], tmp_path / "1.jpg")
    (tmp_path / "notes.txt").write_text("no picture")
    watch, read = Watch(reader, FillingFolder(tmp_path), clock=Clock()), []
    for item in watch:
        assert isinstance(item, LiveReading)
        read.append((item.reading.source, item.reading.text, item.new))
        shutil.copy(REPOSITORY / "examples" / EXAMPLES[1], tmp_path / "2.png")
        if len(read) == 2:
            watch.stop()
    assert read == [(str(tmp_path / "1.jpg"), "3", True), (str(tmp_path / "2.png"), "5", True)]
    assert item.current.digits == reader.read(tmp_path / "2.png").digits


def test_incomplete_picture_is_not_read(tmp_path: Path) -> None:
    clock = VirtualClock()
    folder = FillingFolder(tmp_path, clock).connect()
    whole = (REPOSITORY / "examples" / EXAMPLES[0]).read_bytes()
    path = tmp_path / "a.jpg"
    for part in range(1, 5):
        path.write_bytes(whole[: part * len(whole) // 5])
        for _ in range(8):
            assert folder.grab() is None
    path.write_bytes(whole)
    shot = folder.grab()
    assert shot is not None and shot.file == path
    assert folder.grab() is None


def test_picture_smaller_than_roi_stops_no_other(tmp_path: Path, reader: Reader) -> None:
    for name, side in (("1.png", 40), ("2.png", 400)):
        Image.new("L", (side, side), 255).save(tmp_path / name)
    clock = VirtualClock()
    options = WatchOptions(duration=3, roi=(100, 100, 50, 50))
    items = list(Watch(reader, FillingFolder(tmp_path, clock), options, clock))
    (notice,) = (item for item in items if isinstance(item, Notice))
    assert notice.source == str(tmp_path / "1.png") and "40x40" in notice.text
    assert [item.reading.source for item in items if isinstance(item, LiveReading)] == [str(tmp_path / "2.png")]


def test_damaged_picture_is_reported_once_and_missing_folder_ends(tmp_path: Path) -> None:
    clock = VirtualClock()
    folder = FillingFolder(tmp_path / "in", clock)
    with pytest.raises(SourceUnavailable, match="in"):
        folder.connect()
    (tmp_path / "in").mkdir()
    watched = folder.connect()
    (tmp_path / "in" / "bad.png").write_bytes(b"\x89PNG no")
    with pytest.raises(PictureUnreadable, match=r"bad\.png"):
        for _ in range(100):
            assert watched.grab() is None
    assert clock.now() == pytest.approx(2, abs=0.5)
    assert watched.grab() is None
    (tmp_path / "in" / "bad.png").unlink()
    (tmp_path / "in").rmdir()
    with pytest.raises(StreamLost, match=str(tmp_path / "in")):
        watched.grab()
