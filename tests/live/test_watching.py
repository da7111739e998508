"""Watching in virtual time: ages, dropped frames, reconnects and noisy clips."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

import numpy as np
import pytest
from numpy.typing import NDArray

from edgedigits_runtime.clock import Clock
from edgedigits_runtime.errors import PictureUnreadable, SourceError, SourceUnavailable, StreamLost
from edgedigits_runtime.live.capture import LONGEST_PAUSE
from edgedigits_runtime.live.watching import LIVE_FPS, LiveReading, Notice, Watch, WatchOptions
from edgedigits_runtime.reading.reader import Reader
from edgedigits_runtime.reading.results import Reading
from edgedigits_runtime.sources.frame_source import Kind, Shot
from edgedigits_runtime.sources.synthetic_camera import Film, SyntheticCamera
from tests.support.virtual_clock import VirtualClock

FRAME = 1 / 30
TINY = Film(numbers=("",), size=(32, 24), digit_height=12, noise=0, shadow=0)


@dataclass
class SlowReader:
    """Finds no digit after a while."""

    clock: Clock
    takes: Callable[[], float]
    shapes: list[tuple[int, ...]] = field(default_factory=list)

    def read(self, source: NDArray[np.uint8], *, name: str | None = None) -> Reading:
        self.clock.sleep(self.takes())
        self.shapes.append(source.shape)
        return Reading(name or "", "", (), "slow", "litert", "cpu", ("none",), {"total": 0.0})


def watched(film: Film, takes: float = 0.0, **options: object) -> tuple[Watch, list[LiveReading | Notice], SlowReader]:
    clock = VirtualClock()
    reader = SlowReader(clock, lambda: takes)
    watch = Watch(reader, SyntheticCamera(film, clock=clock), WatchOptions(**options), clock)  # type: ignore[arg-type]
    return watch, list(watch), reader


def readings(items: list[LiveReading | Notice]) -> list[LiveReading]:
    return [item for item in items if isinstance(item, LiveReading)]


def notices(items: list[LiveReading | Notice]) -> list[str]:
    return [item.text for item in items if isinstance(item, Notice)]


@pytest.mark.parametrize("frame_times", [0.3, 1.0, 1.2, 1.5, 1.75])
def test_slow_reader_answers_within_two_frame_intervals(frame_times: float) -> None:
    watch, items, _ = watched(TINY, takes=frame_times * FRAME, max_fps=1000, duration=20)
    # The first reading measures its duration.
    ages = [item.age for item in readings(items)[1:]]
    assert max(ages) < 2 * 1e3 * FRAME
    assert len(ages) >= 20 / (FRAME * max(1, np.ceil(frame_times))) - 5
    # Frames that arrive during a reading are dropped and counted.
    assert watch.counters.captured == pytest.approx(600, abs=3)
    assert watch.counters.dropped == watch.counters.captured - watch.counters.read


@pytest.mark.parametrize("frame_times", [3.0, 7.5, 40.0])
def test_very_slow_reader_never_falls_behind(frame_times: float) -> None:
    _, items, _ = watched(TINY, takes=frame_times * FRAME, max_fps=1000, duration=60)
    ages = [item.age for item in readings(items)[1:]]
    # The reading itself, because each one waits for a new frame.
    assert max(ages) <= 1e3 * (frame_times + 0.3) * FRAME
    assert ages[-1] == pytest.approx(ages[0], abs=1e3 * FRAME)


def test_irregular_reader_gives_recent_answers() -> None:
    clock, rng = VirtualClock(), np.random.default_rng(1)
    reader = SlowReader(clock, lambda: float(rng.uniform(0.8, 1.6)) * FRAME)
    watch = Watch(reader, SyntheticCamera(TINY, clock=clock), WatchOptions(max_fps=1000, duration=30), clock)
    ages = [item.age for item in readings(list(watch))[1:]]
    assert median(ages) < 1.6 * 1e3 * FRAME and max(ages) < 2.4 * 1e3 * FRAME


def test_live_source_is_read_at_requested_rate() -> None:
    watch, items, _ = watched(TINY, duration=20)
    assert watch.counters.read == pytest.approx(20 * LIVE_FPS, abs=3)
    assert watch.counters.rates() == (pytest.approx(30, abs=0.5), pytest.approx(LIVE_FPS, abs=0.5))
    assert max(item.age for item in readings(items)) < 1e3 * FRAME
    assert watched(TINY, duration=20, max_fps=4)[0].counters.read == pytest.approx(80, abs=3)
    assert watched(TINY, duration=20, max_fps=500)[0].counters.read == pytest.approx(600, abs=3)


def test_unplugged_camera_is_reconnected_and_reported() -> None:
    film = Film(numbers=("",), size=(32, 24), digit_height=12, failures=((5, 12), (40, 0.2)))
    watch, items, _ = watched(film, duration=60)
    texts = notices(items)
    assert all(text.startswith("synthetic:0") for text in texts)
    assert [text.rpartition(" in ")[2] for text in texts[:5]] == ["0.5 s", "1 s", "2 s", "4 s", "8 s"]
    assert " 15." in texts[5]
    # A picture in between resets the pause.
    assert texts[6].endswith(" in 0.5 s") and texts[7].endswith(" 0.5 s")
    assert watch.frames.connections == 3
    times = [item.time for item in readings(items)]
    assert max(np.diff(times)) < 16 and times[-1] > 59


def test_pauses_grow_to_a_limit_within_duration() -> None:
    film = Film(numbers=("",), size=(32, 24), digit_height=12, failures=((1, 1e9),))
    watch, items, _ = watched(film, duration=3600)
    pauses = [float(text.rpartition(" in ")[2].removesuffix(" s")) for text in notices(items)]
    assert pauses[:8] == [0.5, 1, 2, 4, 8, 16, 30, 30] and max(pauses) == LONGEST_PAUSE
    assert len(pauses) < 140 and watch.counters.read == pytest.approx(LIVE_FPS, abs=2)


def test_stalled_camera_is_reconnected() -> None:
    film = Film(numbers=("",), size=(32, 24), digit_height=12, stalls=((5, 60),))
    _, items, _ = watched(film, duration=90)
    texts = notices(items)
    assert texts[0].startswith("synthetic:0") and " 7 s" in texts[0]
    assert 2 <= len(texts) < 8
    times = [item.time for item in readings(items)]
    assert min(time for time in times if time > 6) == pytest.approx(65, abs=0.5) and times[-1] > 89


def test_resolution_can_change() -> None:
    film = Film(numbers=("",), size=(32, 24), digit_height=12, sizes=((2, 64, 48), (4, 16, 16)))
    _, items, reader = watched(film, duration=6)
    assert [shape for shape, _ in itertools.groupby(reader.shapes)] == [(24, 32, 3), (48, 64, 3), (16, 16, 3)]
    assert notices(items) == []


def test_stop_ends_a_pause() -> None:
    clock = VirtualClock()
    film = Film(numbers=("",), size=(32, 24), digit_height=12, failures=((1, 1e9),))
    watch = Watch(SlowReader(clock, lambda: 0.0), SyntheticCamera(film, clock=clock), clock=clock)
    for item in watch:
        if isinstance(item, Notice) and item.text.endswith(" 30 s"):
            watch.stop()
    assert 31 < clock.now() < 33


def test_missing_camera_is_an_immediate_error() -> None:
    clock = VirtualClock()
    camera = SyntheticCamera(Film(failures=((0, 100),)), clock=clock)
    with pytest.raises(SourceUnavailable):
        Watch(SlowReader(clock, lambda: 0.0), camera, clock=clock)


def test_stream_without_frame_is_an_error() -> None:
    with pytest.raises(StreamLost, match="synthetic:0"):
        watched(Film(stalls=((0, 1e6),)), duration=5)


def test_roi_boxes_are_in_picture_pixels(reader: Reader) -> None:
    clock = VirtualClock()
    camera = SyntheticCamera(Film(numbers=("7",), speed=0), clock=clock)
    whole, part = (
        readings(list(Watch(reader, camera, WatchOptions(duration=0.5, roi=roi), clock)))[0].current
        for roi in (None, (10, 20, 400, 380))
    )
    assert whole.text == part.text == "7"
    assert np.abs(np.subtract(whole.digits[0].box, part.digits[0].box)).max() <= 2
    with pytest.raises(SourceError, match="640x480"):
        list(Watch(reader, camera, WatchOptions(duration=1, roi=(640, 0, 10, 10)), clock))


@dataclass
class Clip:
    """A video of a synthetic camera, as from a file."""

    camera: SyntheticCamera
    frames: int
    kind: Kind = "video"
    name: str = "clip"
    fps: float = 30.0
    ended: bool = False
    grabbed: int = 0

    def connect(self) -> "Clip":
        return self

    def grab(self) -> Shot | None:
        self.ended = self.grabbed == self.frames
        if self.ended:
            return None
        self.grabbed += 1
        return Shot(self.camera.picture(self.grabbed - 1), (self.grabbed - 1) / self.fps)

    def close(self) -> None:
        pass


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_noisy_clip_does_not_flicker(reader: Reader, seed: int) -> None:
    film = Film(numbers=("480",), noise=22, shadow=0.5, speed=90)
    items = readings(list(Watch(reader, Clip(SyntheticCamera(film, seed=seed), 300))))
    assert len(items) == 300
    assert [text for text, _ in itertools.groupby(item.reading.text for item in items)] == ["", "480"]
    assert [item.reading.text for item in items if item.new] == ["480"]
    # Within a second; single frames do flicker, otherwise this test proves nothing.
    assert next(item.time for item in items if item.new) < 1
    assert len({item.current.text for item in items}) > 1


@pytest.mark.slow
def test_number_is_new_once_when_it_settles(reader: Reader) -> None:
    film = Film(numbers=("42", "7", "", "7", "1905"), seconds=3, shadow=0.2)
    items = readings(list(Watch(reader, Clip(SyntheticCamera(film, seed=4), 450), WatchOptions(max_fps=10))))
    assert len(items) == 150
    new = [(item.time, item.reading.text) for item in items if item.new]
    assert [text for _, text in new] == ["42", "7", "7", "1905"]
    for (time, _), began in zip(new, (0, 3, 9, 12), strict=True):
        assert began < time < began + 1.5


def test_every_frame_of_a_video_is_read() -> None:
    clock = VirtualClock()
    clip = Clip(SyntheticCamera(TINY), 90)
    items = readings(list(Watch(SlowReader(clock, lambda: 0.5), clip, clock=clock)))
    assert [item.frame.number for item in items] == list(range(90))
    assert [item.time for item in items] == pytest.approx([k / 30 for k in range(90)])


def test_video_without_frame_is_an_error() -> None:
    clock = VirtualClock()
    with pytest.raises(StreamLost, match="clip"):
        list(Watch(SlowReader(clock, lambda: 0.0), Clip(SyntheticCamera(TINY), 0), clock=clock))


def test_unreadable_picture_stops_no_other() -> None:
    clock = VirtualClock()

    class OneDamaged(Clip):
        def grab(self) -> Shot | None:
            shot = super().grab()
            if self.grabbed == 3:
                self.grabbed += 1
                raise PictureUnreadable("3 is damaged")
            return shot

    items = list(Watch(SlowReader(clock, lambda: 0.0), OneDamaged(SyntheticCamera(TINY), 6), clock=clock))
    assert len(readings(items)) == 4
    (notice,) = (item for item in items if isinstance(item, Notice))
    assert notice.failed and notice.to_dict() == {"source": "clip", "error": "3 is damaged", "time": 0.0}
