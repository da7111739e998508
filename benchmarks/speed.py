"""Compare the runtime with its bare engines by relative times, each measured in turns in one process: `make speed`.

Ratios differ less between machines than times, and ratios of CPU time (user and system, child processes included) least
of all, since other work on the machine hardly changes them. benchmarks/results/speed.json has all; test_speed.py runs
the same comparisons under pytest-benchmark. Arguments name the comparisons to measure; nothing is written then.
"""

import io
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import psutil
from numpy.typing import NDArray
from PIL import Image

from benchmarks.publishing import REPOSITORY, RESULTS, mnist_test, place_of, png, table, with_machine, write_results
from edgedigits.loading import load
from edgedigits.model_files import SHIPPED
from edgedigits_runtime.machine import core_count
from edgedigits_runtime.reading.reader import Reader
from edgedigits_runtime.synthetic.labelled_pages import draw_page
from edgedigits_runtime.synthetic.layout import PageOptions
from edgedigits_runtime.synthetic.scenes import scene_named
from edgedigits_runtime.timing import interleaved

MODEL = SHIPPED / "base.tflite"
EXAMPLE = str(REPOSITORY / "examples" / "5-white-on-black-28x28.png")
MANY = 10_000
ROUNDS = 9
PHOTO_ROUNDS = 15

PREDICT = [sys.executable, "-m", "edgedigits", "predict"]

EARLY_ERRORS = (
    "train --recipe none", "train --data none", "train --data empty", "train --resume none", "train --out .",
    "train --recipe finder --out .", "distill --recipe none --teacher base", "distill --recipe nano --teacher none",
    "distill --recipe nano --teacher base --out .", "export none", "export none.keras", "export base --out file/here",
    "verify none", "verify none.tflite", "verify base.tflite --split none", "reproduce --recipe none", "report none",
    "import none.h5", "evaluate none",
)  # fmt: skip
"""Commands that fail in a folder with an empty file `file` and an empty folder `empty`."""

NOTEBOOK = """
import sys, tensorflow as tf, numpy as np
from PIL import Image
model = tf.keras.models.load_model(sys.argv[1], compile=False)
picture = Image.open(sys.argv[2]).convert("L").resize((28, 28))
print(model.predict(np.asarray(picture)[None, ..., None] / 255.0, verbose=0).argmax())
"""


@dataclass(frozen=True)
class Comparison:
    """Two ways to do the same work, measured in turns.

    Attributes:
        ours, other: median milliseconds.
        beside: name of the other way.
        cpu: our relative CPU time; None if it was not measured.
    """

    what: str
    ours: float
    other: float
    beside: str
    cpu: float | None = None

    @property
    def ratio(self) -> float:
        """Our relative time."""
        return self.ours / self.other


class Taken(NamedTuple):
    """Median milliseconds of a call, by the clock and of CPU, its ended child processes included."""

    wall: float
    cpu: float


def compared(what: str, taken: dict[str, Taken], ours: str, other: str, beside: str = "") -> Comparison:
    """Return the comparison of two of the calls that in_turn measured."""
    mine, bare = taken[ours], taken[other]
    return Comparison(what, mine.wall, bare.wall, beside or other, mine.cpu / bare.cpu)


def one_array() -> Comparison:
    """One image: Classifier.predict and the bare interpreter."""
    image = _images(1)
    interpreter, given, answer = _interpreter()
    tensor = _stored(image)

    def bare() -> object:
        interpreter.set_tensor(given, tensor)
        interpreter.invoke()
        return interpreter.get_tensor(answer)

    classifier = load().classifier
    ms = interleaved({"ours": lambda: classifier.predict(image), "bare": bare}, rounds=100)
    return Comparison("one 28x28 array", ms["ours"], ms["bare"], "the bare LiteRT loop")


def many_arrays() -> Comparison:
    """10,000 images in one call: Classifier.predict and the fastest bare loop over interpreters and threads."""
    images = _images(MANY)
    tensor = _stored(images)
    classifier = load().classifier
    loops = {
        f"bare, {workers} interpreters of {threads} threads": _bare_loop(tensor, workers, threads)
        for workers in range(1, core_count() + 1)
        for threads in (1, 2)
    }
    taken = in_turn({"ours": lambda: classifier.predict(images), **loops})
    fastest = min(loops, key=taken.__getitem__)
    return compared(f"{MANY:,} arrays in one call", taken, "ours", fastest)


def small_picture() -> Comparison:
    """One of MNIST's images as a PNG file, in a process that is running: Reader.read, and Pillow's decoding."""
    reader = load()
    with tempfile.TemporaryDirectory() as place:
        picture = f"{place}/picture.png"
        Path(picture).write_bytes(png(_images(1)[0, ..., 0]))

        def decoded() -> object:
            with Image.open(picture) as image:
                return np.asarray(image)

        calls: dict[str, Callable[[], object]] = {"ours": lambda: reader.read(picture), "decode": decoded}
        ms, cpu = interleaved(calls), interleaved(calls, clock=time.process_time_ns)
    beside = "Pillow's decoding alone"
    return Comparison("a 28x28 PNG in process", ms["ours"], ms["decode"], beside, cpu["ours"] / cpu["decode"])


def folder() -> Comparison:
    """10,000 PNG files: the command, and a loop that only decodes them on as many cores."""
    images = _images(MANY)[..., 0]
    with tempfile.TemporaryDirectory() as place:
        for number, image in enumerate(images):
            (Path(place) / f"{number:05}.png").write_bytes(png(image))
        command = [*PREDICT, place, "--json"]
        taken = in_turn({"ours": lambda: _output_lines(command, MANY), "decode": lambda: _decode_all(place)}, rounds=3)
    what = f"{MANY:,} PNG files of 28x28, whole command"
    return compared(what, taken, "ours", "decode", "Pillow's decoding alone")


def whole_process() -> Comparison:
    """One picture from the shell: the command, and Python that imports NumPy."""
    picture = EXAMPLE
    other = [sys.executable, "-c", "import numpy"]
    taken = in_turn({"ours": lambda: _run([*PREDICT, picture]), "numpy": lambda: _run(other)}, rounds=15)
    return compared("predict one.png, whole process", taken, "ours", "numpy", 'python -c "import numpy"')


def early_error() -> Comparison:
    """An error that needs no TensorFlow: the slowest of a dozen commands, and Python that imports NumPy."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "file").touch()
        (Path(folder) / "empty").mkdir()
        calls = {line: partial(_fail, line.split(), folder) for line in EARLY_ERRORS}
        taken = in_turn({**calls, "numpy": lambda: _run([sys.executable, "-c", "import numpy"])}, rounds=1)
    slowest = max(calls, key=lambda line: taken[line].cpu)
    return compared(f"the error of `edgedigits {slowest}`", taken, slowest, "numpy", 'python -c "import numpy"')


def notebook_process() -> Comparison:
    """One picture from the shell: the command, and a tutorial's code with TensorFlow."""
    picture = EXAMPLE
    other = [sys.executable, "-c", NOTEBOOK, str(SHIPPED / "base.keras"), picture]
    taken = in_turn({"ours": lambda: _run([*PREDICT, picture]), "notebook": lambda: _run(other)}, rounds=3)
    return compared("one picture, whole process", taken, "ours", "notebook", "TensorFlow as in tutorials")


def notebook_image() -> Comparison:
    """One image inside a process: Classifier.predict and Keras's model.predict."""
    from edgedigits_exporters.keras_backend import load_keras

    keras = load_keras()
    network = keras.saving.load_model(SHIPPED / "base.keras", compile=False)
    image, classifier = _images(1), load().classifier
    calls: dict[str, Callable[[], object]] = {
        "ours": lambda: classifier.predict(image),
        "keras": lambda: network.predict(image / np.float32(255), verbose=0),
    }
    ms = interleaved(calls, rounds=5)
    return Comparison("one 28x28 array", ms["ours"], ms["keras"], "Keras's model.predict")


def draw_photo() -> tuple[bytes, str]:
    """Return a JPEG of two lines of digits on paper with 12 megapixels, as a phone takes it, and its text."""
    options = PageOptions(width=4000, height=3000, lines=(2, 2), digits=(4, 4), digit_height=(500, 700))
    page = draw_page(np.random.default_rng(12), options, scene_named("phone"))
    file = io.BytesIO()
    Image.fromarray(page.picture).save(file, "JPEG", quality=90)
    return file.getvalue(), page.text


def stage_milliseconds(reader: Reader, photo: bytes) -> dict[str, float]:
    """Return the median milliseconds of each stage of a reading and of the total."""
    reader.read(photo)
    rounds = [reader.read(photo).ms for _ in range(PHOTO_ROUNDS)]
    return {stage: statistics.median(ms[stage] for ms in rounds) for stage in rounds[0]}


def memory_megabytes() -> float:
    """Return the peak resident memory of a process that reads one picture."""
    # Not by getrusage, which includes the parent's memory.
    code = (
        "import runpy, sys; sys.argv = ['edgedigits', 'predict', sys.argv[1]]\n"
        "try: runpy.run_module('edgedigits', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "print(*[line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')])"
    )
    done = subprocess.run([sys.executable, "-c", code, EXAMPLE], capture_output=True, text=True, check=True)
    return int(done.stdout.splitlines()[-1]) / 1024


def long_run(images: int = 1_000_000) -> dict[str, float]:
    """Classify many arrays; return the growth of memory, and the last tenth's speed relative to the second's."""
    classifier = load().classifier
    part = max(images // 100, 1)
    batch = _images(min(part, MANY))
    rates, memory = [], []
    for _ in range(100):
        start = time.perf_counter()
        for begin in range(0, part, len(batch)):
            classifier.predict(batch[: min(len(batch), part - begin)])
        rates.append(part / (time.perf_counter() - start))
        memory.append(psutil.Process().memory_info().rss / 2**20)
    # The first tenth warms up.
    return {
        "images": float(images),
        "images_per_second": statistics.median(rates),
        "last_tenth_over_second": statistics.median(rates[90:]) / statistics.median(rates[10:20]),
        "megabytes_grown": memory[-1] - memory[10],
    }


COMPARISONS = (
    one_array, many_arrays, small_picture, folder, whole_process, notebook_process, notebook_image, early_error,
)  # fmt: skip


def main() -> None:
    """Measure, print and write the figures."""
    chosen = sys.argv[1:]
    comparisons = [compare() for compare in COMPARISONS if not chosen or compare.__name__ in chosen]
    for each in comparisons:
        cpu = "" if each.cpu is None else f", {each.cpu:.2f} times in CPU time"
        print(f"{each.what}: {each.ours:.3f} ms, {each.ratio:.3f} times {each.beside} ({each.other:.3f} ms){cpu}")
    if chosen:
        return
    found = with_machine(
        comparisons=[{**asdict(each), "ratio": each.ratio} for each in comparisons],
        photo_ms=stage_milliseconds(load(), draw_photo()[0]),
        memory_megabytes=memory_megabytes(),
        long_run=long_run(),
    )
    print(json.dumps({key: found[key] for key in ("photo_ms", "memory_megabytes", "long_run")}, indent=1))
    write_results(RESULTS / "speed.json", found)


def page_section(found: dict[str, Any]) -> str:
    """Return the figures as Markdown."""
    rows = [
        [
            row["what"],
            _time(row["ours"]),
            _times(row["ratio"]),
            _times(row["cpu"]) if row.get("cpu") else "",
            row["beside"],
        ]
        for row in found["comparisons"]
    ]
    ms, run = found["photo_ms"], found["long_run"]
    stages = ", ".join(f"{stage} {value:.0f}" for stage, value in ms.items() if stage != "total")
    return (
        f"{table(['what', 'ours', 'times as long as', 'in CPU time', 'this'], rows)}\n\n"
        f"A phone's photo of 12 megapixels takes {ms['total']:.0f} ms on one core ({stages}). A process that reads one"
        f" picture takes {found['memory_megabytes']:.0f} MB. Over {run['images']:,.0f} images in a row"
        f" ({run['images_per_second']:,.0f} a second) memory grew by {run['megabytes_grown']:.1f} MB, and the last"
        f" tenth ran at {run['last_tenth_over_second']:.2f} of the second tenth's speed. Measured on"
        f" {place_of(found['machine'])}, with training libraries installed too."
    )


def _time(milliseconds: float) -> str:
    return f"{milliseconds * 1000:.0f} µs" if milliseconds < 1 else f"{milliseconds:,.0f} ms"


def _times(ratio: float | None) -> str:
    if ratio is None:
        return ""
    return f"{ratio:.2f}" if ratio > 0.1 else f"1/{1 / ratio:,.0f}"


def _images(count: int) -> NDArray[np.uint8]:
    return np.resize(mnist_test().images, (count, 28, 28, 1))


def _stored(images: NDArray[np.uint8]) -> NDArray[np.int8]:
    """Return the pixels as the shipped int8 files store them."""
    return (images ^ 0x80).view(np.int8)


def _interpreter(threads: int = 1) -> tuple[Any, int, int]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(MODEL), num_threads=threads)
    interpreter.allocate_tensors()
    return interpreter, interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]


def _bare_loop(tensor: NDArray[np.int8], workers: int, threads: int) -> Callable[[], object]:
    made = [_interpreter(threads) for _ in range(workers)]
    parts = np.array_split(tensor, workers)
    pool = ThreadPoolExecutor(workers)

    def loop(engine: tuple[Any, int, int], part: NDArray[np.int8]) -> NDArray[np.int8]:
        interpreter, given, answer = engine
        answers = np.empty((len(part), 10), np.int8)
        for k in range(len(part)):
            interpreter.set_tensor(given, part[k : k + 1])
            interpreter.invoke()
            answers[k] = interpreter.get_tensor(answer)
        return answers

    return lambda: list(pool.map(loop, made, parts))


def in_turn(calls: dict[str, Callable[[], object]], rounds: int = ROUNDS) -> dict[str, Taken]:
    """Return the median milliseconds of long calls, each once a round, after a warm-up round."""
    times: dict[str, list[Taken]] = {name: [] for name in calls}
    for _ in range(rounds + 1):
        for name, call in calls.items():
            start, cpu = time.perf_counter(), _cpu_seconds()
            call()
            times[name].append(Taken((time.perf_counter() - start) * 1e3, (_cpu_seconds() - cpu) * 1e3))
    return {name: Taken(*map(statistics.median, zip(*taken[1:], strict=True))) for name, taken in times.items()}


def _cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _decode_all(place: str) -> None:
    """Decode every picture of a folder in one process for each core, as `predict` does."""
    code = (
        "import sys, numpy as np\nfrom pathlib import Path\nfrom PIL import Image\n"
        "names = sorted(Path(sys.argv[1]).iterdir())[int(sys.argv[2])::int(sys.argv[3])]\n"
        "for name in names:\n    with Image.open(name) as image: np.asarray(image)\n"
    )
    cores = core_count()
    running = [subprocess.Popen([sys.executable, "-c", code, place, str(k), str(cores)]) for k in range(cores)]
    if any(process.wait() for process in running):
        raise SystemExit("a picture could not be decoded")


def _output_lines(command: list[str], expected: int) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=ENVIRONMENT)
    if done.stdout.count("\n") != expected:
        raise SystemExit(f"expected {expected} lines of {command}")


# Compiled files are stored, as pip does when it installs.
ENVIRONMENT = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONDONTWRITEBYTECODE": ""}


def _fail(arguments: list[str], folder: str) -> None:
    command = [sys.executable, "-m", "edgedigits", *arguments]
    if subprocess.run(command, cwd=folder, capture_output=True, check=False, env=ENVIRONMENT).returncode == 0:
        raise SystemExit(f"expected an error of {command}")


def _run(command: list[str]) -> None:
    subprocess.run(command, capture_output=True, check=True, env=ENVIRONMENT)


if __name__ == "__main__":
    main()
