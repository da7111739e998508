"""The light install stays light: what a device needs imports nothing of the workshop. Each in a fresh interpreter."""

import pkgutil
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import edgedigits_exporters
import edgedigits_runtime
from edgedigits.data.dataset import Dataset
from tests.conftest import REPOSITORY
from tests.support.new_interpreter import in_new_interpreter
from tests.support.small_finder import write_small_finder
from tests.support.tiny_models import write_tflite

HEAVY = ("tensorflow", "keras", "matplotlib", "sklearn", "scipy", "onnx", "tf2onnx", "jax", "torch", "h5py")

SMALL = REPOSITORY / "examples" / "5-white-on-black-28x28.png"

LOADED = "print(*sorted({name.split('.')[0] for name in sys.modules}))"


def _modules_of(package: object) -> list[str]:
    found = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")  # type: ignore[attr-defined]
    return sorted(module.name for module in found)


RUNTIME = _modules_of(edgedigits_runtime)


def loaded_after(code: str) -> set[str]:
    """Return the top-level packages that a fresh interpreter has loaded after `code`."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\n{LOADED}"], capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


def test_there_are_modules_to_look_at() -> None:
    assert {"edgedigits_runtime.contract", "edgedigits_runtime.engines.litert"} <= set(RUNTIME)


def test_the_runtime_imports_neither_of_the_others_nor_anything_heavy() -> None:
    loaded = loaded_after("\n".join(f"import {name}" for name in RUNTIME))
    assert loaded.isdisjoint({*HEAVY, "edgedigits", "edgedigits_exporters", "onnxruntime", "ai_edge_litert"})


def test_the_runtime_needs_numpy_and_pillow_and_nothing_else() -> None:
    """Every other package that is installed here is made impossible to import."""
    names = [name for name in RUNTIME if not name.startswith("edgedigits_runtime.engines.")]
    block = """
import importlib.abc
allowed = {*sys.stdlib_module_names, "numpy", "PIL", "edgedigits_runtime"}
class Nothing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.split(".")[0] not in allowed:
            raise ModuleNotFoundError(f"{name} is not in the light install", name=name)
sys.meta_path.insert(0, Nothing())
"""
    assert "numpy" in loaded_after(block + "\n".join(f"import {name}" for name in names))


def test_exporters_import_nothing_of_the_workshop_and_nothing_heavy() -> None:
    loaded = loaded_after("\n".join(f"import {name}" for name in _modules_of(edgedigits_exporters)))
    assert loaded.isdisjoint({*HEAVY, "edgedigits"})


def test_the_library_and_the_command_line() -> None:
    loaded = loaded_after("import edgedigits, edgedigits.cli, edgedigits.__main__")
    assert loaded.isdisjoint({*HEAVY, "onnxruntime", "ai_edge_litert", "numpy", "PIL"})


def test_only_commands_that_draw_a_progress_bar_import_it() -> None:
    loaded_after("import edgedigits.cli, edgedigits.__main__\nassert 'edgedigits.progress' not in sys.modules")


def test_reading_a_picture() -> None:
    code = """
import io, numpy as np
import edgedigits
from PIL import Image
from edgedigits_runtime.reading.decode import decode
from edgedigits_runtime.reading.ink import find_ink
from edgedigits_runtime.reading.locate import locate
from edgedigits_runtime.reading.frame import frame_digit
from edgedigits_runtime.synthetic.samples import golden_pictures
for encoded, _ in golden_pictures():
    ink = find_ink(decode(encoded, channels=1))
    assert {frame_digit(candidate.ink).shape for candidate in locate(ink).candidates} == {(28, 28)}
"""
    assert loaded_after(code).isdisjoint({*HEAVY, "onnxruntime", "ai_edge_litert"})


def test_reading_with_a_tflite_file(tmp_path: Path) -> None:
    path = write_tflite(tmp_path, "int8")
    loaded = loaded_after(
        "import edgedigits\nfrom edgedigits_runtime.synthetic.samples import golden_pictures\n"
        f"assert len(edgedigits.load({str(path)!r}).read(golden_pictures()[3][0]).text) <= 1"
    )
    assert "ai_edge_litert" in loaded
    assert loaded.isdisjoint({*HEAVY, "onnxruntime"})


def test_a_whole_predict_loads_nothing_that_it_does_not_need() -> None:
    """Each of these would take longer than reading the picture does."""
    slow = ("rich", "pydantic", "importlib.metadata", "PIL.ImageDraw", "concurrent.futures", "multiprocessing", "email")
    code = (
        "from edgedigits.cli import app\n"
        f"app(['predict', {str(SMALL)!r}], standalone_mode=False)\n"
        "print(*sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", f"import sys\n{code}"], capture_output=True, text=True, check=True)
    reading, loaded = done.stdout.splitlines()
    assert ": 5  " in reading
    assert set(loaded.split()).isdisjoint({*HEAVY, *slow, "onnxruntime"})


def test_a_first_picture_loads_few_modules_of_our_own() -> None:
    """A shipped file is known by its SHA-256, so the checks for untrusted files are not loaded."""
    in_new_interpreter(f"""
import sys
from edgedigits.cli import app
app(["predict", {str(SMALL)!r}], standalone_mode=False)
loaded = [name for name in sys.modules if name.startswith("edgedigits")]
assert len(loaded) <= 45, loaded
assert not [name for name in loaded if name.startswith("edgedigits_runtime.untrusted.")]
""")


def test_a_finder_is_opened_by_the_first_picture_that_needs_it(tmp_path: Path) -> None:
    write_small_finder(tmp_path / "finder.tflite")
    in_new_interpreter(f"""
import sys
from pathlib import Path
from edgedigits import loading
loading.find_finder = lambda *_, **__: Path({str(tmp_path)!r}, "finder.tflite")
reader = loading.load(finder="shipped")
assert reader.read({str(SMALL)!r}).text == "5"
loaded = [name for name in sys.modules if name.startswith("edgedigits")]
assert len(loaded) <= 45 and "edgedigits_runtime.reading.find" not in loaded, loaded
assert reader.finder.engine.model == "small"
""")


def test_watching_loads_the_synthetic_camera_only_if_it_is_named(tmp_path: Path) -> None:
    shutil.copy(SMALL, tmp_path)
    in_new_interpreter(f"""
import sys
from edgedigits.cli import app
from edgedigits_runtime.sources.named import source_named
synthetic = lambda: [name for name in sys.modules if name.startswith("edgedigits_runtime") and "synthetic" in name]
for name in ("0", "/dev/video0", "picamera", "http://camera/stream", {str(SMALL.parent)!r}):
    source_named(name)
assert synthetic() == []
app(["watch", {str(tmp_path)!r}, "--duration", "0.5"], standalone_mode=False)
assert synthetic() == []
source_named("synthetic")
assert synthetic()
""")


@pytest.mark.slow
def test_a_benchmark_with_accuracy_needs_only_the_light_install(mnist: Dataset) -> None:
    code = """
from pathlib import Path
from edgedigits.benchmarking.bench_state import BenchOptions, open_bench
from edgedigits.benchmarking.measuring.sampling import Effort
from edgedigits.benchmarking.sections import SECTIONS, run_bench
for name in ("cold_start", "memory", "throughput"):
    SECTIONS.pop(name)
bench = open_bench(BenchOptions("pico", pictures="small", effort=Effort(1, 0, 0), accuracy=10))
assert run_bench(bench, lambda name, content: None) == []
import edgedigits.cli.bench, edgedigits.benchmarking.results.terminal_page
"""
    # The engines that are installed are asked for their versions.
    assert loaded_after(code).isdisjoint(HEAVY)
