"""Shared fixtures: real MNIST if available, one short training and its exports; and failing skips in CI."""

import fcntl
import gc
import io
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from PIL import Image

import edgedigits
from edgedigits import load
from edgedigits.data import load_dataset
from edgedigits.data.dataset import Dataset
from edgedigits.training.run_folder import RunFolder
from edgedigits_exporters import conversion
from edgedigits_exporters.web.onnxruntime_engine import PINNED
from edgedigits_runtime.child_process import Child
from edgedigits_runtime.errors import ConversionFailed, DataNotFound
from edgedigits_runtime.reading.reader import Reader
from tests.support.needs import skip_without
from tests.support.tiny_models import write_onnx, write_tflite

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TIMES = int(os.environ.get("EDGEDIGITS_EXAMPLES", "1"))
"""Times as many examples of properties, for a long check."""

# No deadlines, because timings belong in benchmarks/. Continuous integration draws the same examples each time, so that
# a failure comes from the change; other runs find new examples.
settings.register_profile("edgedigits", deadline=None, max_examples=40 * TIMES, derandomize=bool(os.environ.get("CI")))
settings.load_profile("edgedigits")

REPOSITORY = Path(__file__).parent.parent

# `make onnxruntime-web` fetches it, because no Debian package or wheel contains it.
NPM_PACKAGE = REPOSITORY / "build" / f"onnxruntime-web-{PINNED}.tgz"


def pytest_collection_finish() -> None:
    """Exclude imported and collected objects from garbage collection, which benchmarks run before each measurement."""
    gc.freeze()


TINY_MODELS: dict[str, Callable[[Path], Path]] = {
    "litert-float32": write_tflite,
    "litert-int8": lambda folder: write_tflite(folder, "int8"),
    "onnxruntime": write_onnx,
}

StartChromium = Callable[..., "Browser"]

RunCommand = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Fail skipped tests if EDGEDIGITS_NO_SKIP is set, as on CI, which has every program that tests need."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]  # pluggy's result
    if os.environ.get("EDGEDIGITS_NO_SKIP") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped under EDGEDIGITS_NO_SKIP: {report.longrepr}"


@pytest.fixture(scope="session")
def reader() -> Reader:
    """The shipped model base."""
    return load()


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """Return the bytes of a picture file."""
    if kind == "HEIF":
        from pillow_heif import register_heif_opener

        register_heif_opener()
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.fixture(params=TINY_MODELS)
def tiny_model(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A tiny model file of each kind."""
    return TINY_MODELS[request.param](tmp_path)


@pytest.fixture(scope="session")
def mnist() -> Dataset:
    """The real MNIST; tests never download it."""
    try:
        return load_dataset("mnist", download=False)
    except DataNotFound:
        pytest.skip("MNIST is not on this machine; edgedigits data download mnist")


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that `make` fills once for all processes of this run; tests must not change it."""
    base = factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    shared.mkdir(exist_ok=True)
    folder, done = shared / name, shared / f"{name}.done"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            make(folder)
            done.touch()
    return folder


class OneConverter(Child):
    """A converter that goes on after a conversion: its import of TensorFlow takes seven seconds."""

    def call(self, function: str, *arguments: Any, **limits: Any) -> Any:
        # A path may be relative to the folder that this test works in.
        super().call("os:chdir", str(Path.cwd()))
        return super().call(function, *arguments, **limits)

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture(scope="session", autouse=True)
def one_converter() -> Iterator[None]:
    """Convert all models of this test process in one child process; `own_converter` is as outside the tests."""
    with pytest.MonkeyPatch.context() as patched:
        child = OneConverter("the converter", ConversionFailed, keep_output=True)
        patched.setattr(conversion, "Child", lambda *_, **__: child)
        yield
        child.end()


@pytest.fixture
def own_converter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Convert in a child process for each conversion."""
    monkeypatch.setattr(conversion, "Child", Child)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this repository."""

    def build(folder: Path) -> None:
        command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(REPOSITORY)]
        subprocess.run(command, check=True, capture_output=True)

    return next(once(tmp_path_factory, "wheel", build).glob("*.whl"))


@pytest.fixture(scope="session")
def trained_run(mnist: Dataset, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """plain-3conv, trained for one epoch on real MNIST."""
    from edgedigits.training.fit import train
    from edgedigits.training.train_options import TrainOptions

    return RunFolder(once(tmp_path_factory, "mnist", lambda run: train(TrainOptions("plain-3conv", epochs=1, out=run))))


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """plain-3conv, trained for a few seconds on optdigits, which needs no download."""
    from edgedigits.training.fit import train
    from edgedigits.training.train_options import TrainOptions

    return RunFolder(
        once(
            tmp_path_factory,
            "optdigits",
            lambda run: train(TrainOptions("plain-3conv", data="optdigits", epochs=6, out=run)),
        )
    )


@pytest.fixture(scope="session")
def base_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped base as a page without a server, verified."""
    return once(tmp_path_factory, "base site", lambda site: edgedigits.export("base", format="web", out=site))


def restore_sigint() -> None:
    """Make a child process end on SIGINT, which a shell's background jobs ignore: `preexec_fn=restore_sigint`."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def run_command(tmp_path: Path) -> RunCommand:
    """Run `edgedigits ...` as a user does, in a new process and an empty folder."""

    def run(*arguments: str | Path, check: int | None = 0, **options: object) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [sys.executable, "-m", "edgedigits", *map(str, arguments)],
            **{"capture_output": True, "text": True, "cwd": tmp_path, **options},  # type: ignore[call-overload]
        )
        if check is not None:
            assert done.returncode == check, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done  # type: ignore[no-any-return]

    return run


@pytest.fixture
def run_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunCommand:
    """Run `edgedigits ...` in this process and an empty folder: TensorFlow is imported once for all commands."""
    from typer.testing import CliRunner

    from edgedigits.cli import app

    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path, check: int | None = 0) -> "subprocess.CompletedProcess[str]":
        command = [*map(str, arguments)]
        done = CliRunner().invoke(app, command, prog_name="edgedigits")
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        if check is not None:
            assert done.exit_code == check, f"exit code {done.exit_code}\n{done.stdout}\n{done.stderr}"
        return subprocess.CompletedProcess(command, done.exit_code, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="module")
def start_chromium() -> Iterator[StartChromium]:
    """Start the system's Chromium, headless, with more options; it ends with the module's tests.

    Playwright's event loop disturbs other tests, so it does not run for the whole session.
    """
    from playwright.sync_api import sync_playwright

    skip_without("chromium")
    program = shutil.which("chromium")
    options = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    with sync_playwright() as playwright:
        started: list[Browser] = []

        def start(*more: str) -> "Browser":
            started.append(playwright.chromium.launch(executable_path=program, args=[*options, *more]))
            return started[-1]

        yield start
        for browser in started:
            browser.close()


@pytest.fixture(scope="module")
def browser(start_chromium: StartChromium) -> "Browser":
    """The system's Chromium."""
    return start_chromium()
