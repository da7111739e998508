"""C as an engine: the answers of LiteRT, one compilation, and errors."""

import concurrent.futures
import dataclasses
import os
import pickle
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.emulated_cores.building import available, build
from benchmarks.emulated_cores.cores import CORES
from edgedigits.model_files import SHIPPED, find_model, shipped_names
from edgedigits_exporters.microcontroller import c
from edgedigits_runtime.classifier import Classifier
from edgedigits_runtime.contract import Tensor
from edgedigits_runtime.embedded_contract import MEMBER, read_contract
from edgedigits_runtime.engine_options import EngineOptions
from edgedigits_runtime.engines import compiled_c, open_engine, probe_engines
from edgedigits_runtime.errors import (
    ArtifactCorrupt,
    ArtifactUnsupported,
    ContractMissing,
    DeviceUnavailable,
    EdgedigitsError,
    OutputNotWritable,
    UnknownName,
)
from edgedigits_runtime.golden import golden_path, read_golden, replay
from edgedigits_runtime.reading.reader import Reader
from tests.support.edited_tflite import INT8, UINT8, Builder
from tests.support.needs import needs
from tests.support.tiny_models import WEIGHT_SCALE, int8_contract, pictures, weights


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pico as C."""
    return c.export(SHIPPED / "pico.tflite", tmp_path_factory.mktemp("c") / "pico-c", c.COptions())


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use an empty cache, so that no library of an earlier run is tested."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


@needs("cc")
@pytest.mark.slow
def test_the_engine_equals_litert(exported: Path) -> None:
    images = pictures(300)
    with open_engine(exported) as ours, open_engine(SHIPPED / "pico.tflite") as theirs:
        assert (ours.invoke(ours.feed(images)) == theirs.invoke(theirs.feed(images))).all()
        assert ours.name == "c"
        assert ours.providers == ("C (xnnpack rounding)",)


@needs("cc")
@pytest.mark.slow
def test_threads_and_a_pickled_engine_get_the_same_answers(exported: Path) -> None:
    images = pictures(64)
    engine = open_engine(exported, options=EngineOptions(workers=2))
    expected = engine.run(images)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(engine.run, [images] * 64))
    assert all(np.array_equal(answer, expected) for answer in answers)
    assert np.array_equal(pickle.loads(pickle.dumps(engine)).run(images), expected)


@needs("cc")
@pytest.mark.slow
def test_the_library_is_compiled_once(exported: Path) -> None:
    library = compiled_c.compiled(exported)
    before = library.stat().st_mtime_ns
    assert compiled_c.compiled(exported) == library
    assert library.stat().st_mtime_ns == before


@needs("cc", "make")
@pytest.mark.slow
def test_the_selftest_needs_only_a_c_compiler(exported: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(exported, tmp_path / "copy")
    done = subprocess.run(
        ["make", "test"], cwd=folder, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]}
    )
    assert done.returncode == 0, done.stderr
    assert "pass, 10 pictures" in done.stdout


@needs("cc", "make")
@pytest.mark.slow
def test_the_selftest_detects_one_wrong_weight(exported: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(exported, tmp_path / "copy")
    text = (folder / "digits.c").read_text()
    name = "int8_t weights_1["
    at = text.index("\n", text.index(name)) + 1
    first = text[at:].lstrip().split(",")[0]
    (folder / "digits.c").write_text(text[:at] + text[at:].replace(first, str(-int(first) - 1), 1))
    done = subprocess.run(["make", "test"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "FAIL" in done.stdout


@needs("cc")
@pytest.mark.slow
@pytest.mark.parametrize("kernels", ["xnnpack", "reference"])
def test_a_cmake_project_builds_and_passes(kernels: str, tmp_path: Path) -> None:
    options = c.COptions(project="cmake", kernels="reference" if kernels == "reference" else "xnnpack")
    folder = c.export(SHIPPED / "pico.tflite", tmp_path / "pico", options)
    sources = ["src/digits.c", "tests/digits_selftest.c"]
    done = subprocess.run(["cc", "-std=c99", "-Iinclude", *sources, "-o", "selftest", "-lm"], cwd=folder, check=False)
    assert done.returncode == 0
    assert subprocess.run(["./selftest"], cwd=folder, check=False, capture_output=True).returncode == 0


@needs("cc", "g++")
def test_the_header_compiles_as_cpp(exported: Path, tmp_path: Path) -> None:
    (tmp_path / "main.cpp").write_text(
        "#include \"digits.h\"\nint main() { return digits_labels[DIGITS_CLASSES - 1][0] != '9'; }\n"
    )
    for command in (
        ["cc", "-std=c99", "-c", str(exported / "digits.c"), "-o", "digits.o"],
        ["g++", "-Wall", "-Wextra", "-Werror", f"-I{exported}", "main.cpp", "digits.o", "-o", "main", "-lm"],
        ["./main"],
    ):
        assert subprocess.run(command, cwd=tmp_path, check=False).returncode == 0


@needs("cc", "nm")
def test_the_readme_states_the_flash_of_the_constants(exported: Path, tmp_path: Path) -> None:
    # Without vectors, since these add zeros after the weights.
    command = ["cc", "-std=c99", "-U__SSE2__", "-c", str(exported / "digits.c"), "-o", str(tmp_path / "digits.o")]
    assert subprocess.run(command, check=False).returncode == 0
    listed = subprocess.run(
        ["nm", "-S", str(tmp_path / "digits.o")], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    sizes = {words[3]: int(words[1], 16) for line in listed if len(words := line.split()) == 4}
    arrays = [
        name for name in sizes if re.fullmatch(r"(weights|bias|scale|powers)_\d+[ab]?|order|weight_of_output", name)
    ]
    stated = re.search(r"tables in flash \| ([\d,]+) \|", (exported / "README.md").read_text())
    assert stated is not None
    assert sum(sizes[name] for name in arrays) == int(stated[1].replace(",", ""))


@pytest.mark.slow
@pytest.mark.parametrize("name", shipped_names())
def test_the_readme_states_the_flash_of_the_code(name: str, tmp_path: Path) -> None:
    if reason := available(CORES["cortex-m4f"]):
        pytest.skip(reason)
    folder = c.export(SHIPPED / f"{name}.tflite", tmp_path / name, c.COptions())
    stated = re.findall(r"(\d+) to (\d+) KB with `(-O.)`", (folder / "README.md").read_text())
    assert [flag for *_, flag in stated] == ["-Os", "-O3"]
    for least, most, flag in stated:
        code = build(folder, CORES["cortex-m4f"], "footprint", tmp_path / flag, flag).sizes.code
        assert int(least) <= round(code / 1000) <= int(most)


def test_an_arduino_library_has_the_files_that_the_ide_needs(tmp_path: Path) -> None:
    folder = c.export(SHIPPED / "pico.tflite", tmp_path / "uno", c.COptions(project="arduino"))
    properties = dict(line.split("=", 1) for line in (folder / "library.properties").read_text().splitlines())
    assert properties["name"] == "edgedigits-pico"
    assert {"name", "version", "author", "maintainer", "sentence", "category", "architectures"} <= set(properties)
    assert (folder / "src/digits.c").is_file()
    assert (folder / "examples/selftest/selftest.ino").is_file()
    assert "@" not in "".join((folder / name).read_text() for name in ("library.properties", "README.md"))


def test_the_contract_names_the_kernels(exported: Path) -> None:
    contract, original = read_contract(exported), read_contract(SHIPPED / "pico.tflite")
    assert (contract.format, contract.kernels) == ("c", "xnnpack")
    assert (contract.labels, contract.accuracy) == (original.labels, original.accuracy)
    assert find_model(exported) == exported


def dense_network(shape: list[int], kind: int) -> bytes:
    """A `.tflite` file that takes pixels of 28x28 in a shape and a type, int8 or uint8, and returns that type."""
    shift = 128 if kind == UINT8 else 0
    build = Builder(shape, kind, 1 / 255, shift - 128)
    if kind == UINT8:
        build.add("QUANTIZE", build.tensor(shape, INT8, 1 / 255, -128), version=2)
    build.add("RESHAPE", build.tensor([1, 784], INT8, 1 / 255, -128), build.constant([1, 784]))
    kernel = build.constant(weights(), INT8, WEIGHT_SCALE)
    logits = build.tensor([1, 10], INT8, 0.25, 0)
    build.add("FULLY_CONNECTED", logits, kernel, -1, options="FullyConnectedOptions", version=4)
    build.add("SOFTMAX", build.tensor([1, 10], INT8, 1 / 256, -128), options="SoftmaxOptions", version=2, beta=1.0)
    if kind == UINT8:
        build.add("QUANTIZE", build.tensor([1, 10], UINT8, 1 / 256, 0), version=2)
    return build.pack()


@needs("cc")
@pytest.mark.slow
@pytest.mark.parametrize("kind", [INT8, UINT8], ids=["int8", "uint8"])
@pytest.mark.parametrize(
    ("shape", "layout"),
    [([1, 28, 28, 1], "NHWC"), ([1, 1, 28, 28], "NCHW"), ([1, 28, 28], "NHW"), ([1, 784], "NF")],
)
def test_header_contract_and_engine_say_int8_pictures(shape: list[int], layout: str, kind: int, tmp_path: Path) -> None:
    dtype, shift = ("uint8", 128) if kind == UINT8 else ("int8", 0)
    own = int8_contract(
        input=Tensor("t0", tuple(shape), dtype, 1 / 255, shift - 128),
        output=Tensor("probabilities", (1, 10), dtype, 1 / 256, shift - 128),
        layout=layout,
        image=(28, 28, 1) if layout == "NF" else None,
    )
    (tmp_path / "own.tflite").write_bytes(dense_network(shape, kind))
    folder = c.export(tmp_path / "own.tflite", tmp_path / "own-c", c.COptions(contract=own))
    contract, header = read_contract(folder), (folder / "digits.h").read_text()
    assert (contract.layout, contract.image, contract.input.shape) == ("NHWC", None, (1, 28, 28, 1))
    assert [(end.dtype, end.zero_point) for end in (contract.input, contract.output)] == [("int8", -128)] * 2
    for line in ("HEIGHT 28", "WIDTH 28", "CHANNELS 1", "INPUT_ZERO_POINT (-128)", "OUTPUT_ZERO_POINT (-128)"):
        assert f"#define DIGITS_{line}\n" in header
    images = pictures(40)
    with open_engine(folder) as ours, open_engine(tmp_path / "own.tflite", contract=own) as theirs:
        np.testing.assert_array_equal(ours.run(images), theirs.run(images))
        assert all(stage.alike for stage in replay(read_golden(golden_path(folder)), Reader(Classifier(ours))))


def test_channels_before_rows_are_refused(tmp_path: Path) -> None:
    own = int8_contract(input=Tensor("t0", (1, 3, 28, 28), "int8", 1 / 255, -128), layout="NCHW")
    (tmp_path / "own.tflite").write_bytes(dense_network([1, 784], INT8))
    with pytest.raises(ArtifactUnsupported, match=r"NCHW.*NHWC"):
        c.export(tmp_path / "own.tflite", tmp_path / "own-c", c.COptions(contract=own))


@needs("cc")
def test_a_folder_of_an_earlier_version_is_refused(exported: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(exported, tmp_path / "copy")
    contract = read_contract(folder)
    unsigned = dataclasses.replace(contract.input, dtype="uint8", zero_point=0)
    (folder / MEMBER).write_text(dataclasses.replace(contract, input=unsigned).to_json())
    with pytest.raises(ArtifactCorrupt, match=r"uint8.*int8"):
        open_engine(folder)


def test_a_missing_compiler_is_an_error_with_a_remedy(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(DeviceUnavailable, match="C compiler"):
        open_engine(exported)
    assert probe_engines()["c"].mend == "apt-get install gcc"


@needs("cc")
def test_cc_selects_the_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    assert compiled_c.find_compiler() is None
    monkeypatch.delenv("CC")
    assert compiled_c.find_compiler() is not None


@pytest.mark.parametrize(
    ("damage", "error"),
    [
        (lambda folder: (folder / "edgedigits.json").unlink(), ContractMissing),
        pytest.param(lambda folder: (folder / "digits.h").unlink(), ArtifactCorrupt, marks=needs("cc")),
        pytest.param(lambda folder: (folder / "digits.c").write_text("int x = ;"), ArtifactCorrupt, marks=needs("cc")),
    ],
    ids=["no contract", "no header", "syntax error"],
)
def test_a_damaged_folder_is_refused(
    exported: Path, tmp_path: Path, damage: Callable[[Path], object], error: type[EdgedigitsError]
) -> None:
    folder = shutil.copytree(exported, tmp_path / "copy")
    damage(folder)
    with pytest.raises(error):
        open_engine(folder)


def test_other_engines_and_devices_are_refused(exported: Path) -> None:
    with pytest.raises(UnknownName, match="litert"):
        open_engine(exported, engine="litert")
    with pytest.raises(DeviceUnavailable, match="CPU"):
        open_engine(exported, device="cuda")


def test_an_existing_folder_is_not_replaced(exported: Path) -> None:
    before = {file.name: file.stat().st_mtime_ns for file in exported.iterdir()}
    with pytest.raises(OutputNotWritable, match="--force"):
        c.export(SHIPPED / "pico.tflite", exported, c.COptions())
    assert {file.name: file.stat().st_mtime_ns for file in exported.iterdir()} == before


def test_unknown_projects_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match=r"maven.*plain, arduino, cmake"):
        c.export(SHIPPED / "pico.tflite", tmp_path / "x", c.COptions(project="maven"))
    assert not (tmp_path / "x").exists()
