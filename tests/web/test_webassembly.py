"""The C export as WebAssembly: reproducible, without imports, and bit for bit equal to LiteRT in a real browser."""

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.shipped_models.build import write_wasm
from edgedigits import load
from edgedigits.data.dataset import Dataset
from edgedigits.model_files import SHIPPED, shipped_names
from edgedigits_exporters.microcontroller.activation_limits import Kernels
from edgedigits_exporters.microcontroller.c import COptions
from edgedigits_exporters.microcontroller.parsing import read_graph
from edgedigits_exporters.microcontroller.planning.lowering import make_program
from edgedigits_exporters.microcontroller.writing.digits_c import digits_c
from edgedigits_exporters.microcontroller.writing.digits_h import digits_h
from edgedigits_exporters.web.webassembly import (
    MAGIC,
    Origin,
    build_wasm,
    compile_wasm,
    compiler_version,
    file_sha256,
    layers_h,
    prebuilt_wasm,
    read_origin,
    with_origin,
)
from edgedigits_runtime.errors import ArtifactCorrupt, ConversionFailed, ToolMissing
from edgedigits_runtime.golden import golden_path, read_golden
from tests.support.browser_modules import run_wasm
from tests.support.compiled_c import contract_of
from tests.support.needs import needs
from tests.support.quantized_graphs import litert, tflite_of
from tests.support.random_graphs import GROWERS, random_graph, random_inputs
from tests.support.tiny_models import int8_contract, pictures, write_tflite

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

OPTIONS = COptions()
COMPILER = needs("clang", "wasm-ld")
TAILS = (("RESHAPE", "FULLY_CONNECTED", "SOFTMAX"), ("MEAN", "FULLY_CONNECTED", "ADD"))
GRAPHS = 24


@pytest.fixture(scope="module")
def page(browser: "Browser") -> Iterator["Page"]:
    opened = browser.new_page()
    yield opened
    opened.close()


ORIGINS = st.builds(Origin, st.text(max_size=300), st.text(max_size=10), st.text(max_size=10))


@given(ORIGINS)
def test_a_module_names_its_origin(origin: Origin) -> None:
    module = MAGIC + b"\1\4\1\x60\0\0"
    made = with_origin(module, origin)
    assert made.startswith(module)
    assert read_origin(made, "x") == origin


@given(ORIGINS, st.data())
def test_a_damaged_module_is_refused_or_has_an_origin(origin: Origin, data: st.DataObject) -> None:
    made = bytearray(with_origin(MAGIC, origin))
    made[data.draw(st.integers(0, len(made) - 1))] = data.draw(st.integers(0, 255))
    for damaged in (bytes(made), bytes(made[: data.draw(st.integers(0, len(made)))])):
        try:
            assert isinstance(read_origin(damaged, "x.wasm"), Origin)
        except ArtifactCorrupt as error:
            assert "x.wasm" in str(error)


@pytest.mark.parametrize("name", shipped_names())
def test_shipped_modules_name_the_shipped_models(name: str) -> None:
    model = SHIPPED / f"{name}.tflite"
    module = prebuilt_wasm(model, OPTIONS)
    assert module is not None
    assert read_origin(module, name).tflite == file_sha256(model)


def test_a_module_of_another_model_is_not_used(tmp_path: Path) -> None:
    model = write_tflite(tmp_path, "int8")
    ready = model.with_suffix(".wasm")
    assert prebuilt_wasm(model, OPTIONS) is None
    ready.write_bytes(with_origin(MAGIC, Origin(file_sha256(model), "xnnpack", "clang")))
    assert prebuilt_wasm(model, OPTIONS) is not None
    assert prebuilt_wasm(model, COptions(kernels="reference")) is None
    assert prebuilt_wasm(model, COptions(contract=int8_contract())) is None
    model.write_bytes(model.read_bytes() + b"\0")
    assert prebuilt_wasm(model, OPTIONS) is None
    ready.write_bytes(b"something else")
    with pytest.raises(ArtifactCorrupt, match=r"tiny\.wasm"):
        prebuilt_wasm(model, OPTIONS)


@pytest.mark.slow
@COMPILER
def test_building_a_shipped_model_writes_its_module(tmp_path: Path) -> None:
    shutil.copy(SHIPPED / "pico.tflite", tmp_path)
    made = write_wasm("pico", tmp_path)
    assert prebuilt_wasm(tmp_path / "pico.tflite", OPTIONS) == made.read_bytes()


def test_missing_tools_are_named_with_their_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = write_tflite(tmp_path, "int8")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissing, match=r"clang and wasm-ld.*apt-get install clang lld"):
        build_wasm(model, OPTIONS)


@COMPILER
def test_the_error_of_the_compiler_is_passed_on() -> None:
    with pytest.raises(ConversionFailed, match=r"clang.*error: unknown type name 'nonsense'"):
        compile_wasm({"digits.h": "nonsense x;", "digits.c": '#include "digits.h"'})


@pytest.mark.slow
@COMPILER
@pytest.mark.parametrize("name", shipped_names())
def test_shipped_modules_can_be_rebuilt_byte_for_byte(name: str) -> None:
    shipped = (SHIPPED / f"{name}.wasm").read_bytes()
    if compiler_version() != read_origin(shipped, name).compiler:
        # Tests below compare the output of any compiler with LiteRT.
        assert read_origin(build_wasm(SHIPPED / f"{name}.tflite", OPTIONS), name).compiler == compiler_version()
    else:
        assert build_wasm(SHIPPED / f"{name}.tflite", OPTIONS) == shipped, (
            f"rebuild it: python -m benchmarks.shipped_models.build {name} --wasm-only"
        )


@pytest.mark.slow
@pytest.mark.parametrize("name", shipped_names())
def test_shipped_modules_equal_litert(page: "Page", mnist: Dataset, name: str) -> None:
    model, images = SHIPPED / f"{name}.tflite", mnist.test.images
    engine = load(name).classifier.engine
    expected = engine.invoke(engine.feed(images))
    found = run_wasm(page, (SHIPPED / f"{name}.wasm").read_bytes(), images, 10)
    np.testing.assert_array_equal(found, expected)
    golden = read_golden(golden_path(model))
    replayed = run_wasm(page, (SHIPPED / f"{name}.wasm").read_bytes(), golden["framed"], 10)
    np.testing.assert_array_equal(replayed, golden["output"])


@pytest.mark.slow
@COMPILER
def test_a_module_imports_nothing_and_is_small(page: "Page", tmp_path: Path) -> None:
    made = build_wasm(write_tflite(tmp_path, "int8"), OPTIONS)
    interface = page.evaluate(
        """async (bytes) => {
            const module = await WebAssembly.compile(new Uint8Array(bytes));
            const { memory } = (await WebAssembly.instantiate(module)).exports;
            const names = WebAssembly.Module.exports(module).map(({ name }) => name);
            return [WebAssembly.Module.imports(module), names, memory.buffer.byteLength];
        }""",
        list(made),
    )
    assert interface == [[], ["memory", "digits_pixels", "digits_outputs", "digits_run", "digits_look"], 65_536]
    assert len(made) < 16_000


@pytest.mark.slow
@COMPILER
@pytest.mark.parametrize("kernels", ["xnnpack", "reference"])
def test_random_networks_equal_litert(page: "Page", kernels: Kernels) -> None:
    for seed in range(GRAPHS // 2):
        names = np.random.default_rng(seed).choice(sorted(set(GROWERS) - {"SOFTMAX", "RESHAPE", "MEAN"}), 6)
        content = tflite_of(random_graph([*names, *TAILS[seed % 2]], seed))
        graph = read_graph(content, "x")
        inputs = random_inputs(graph, seed)
        program = make_program(graph, kernels)
        contract = contract_of(graph)
        # With this scale a pixel is a stored value plus 128, so every input can be fed.
        fed = dataclasses.replace(graph.input, scale=1 / 255, zero_point=-128)
        program = dataclasses.replace(program, graph=dataclasses.replace(graph, input=fed))
        texts = {"digits.c": digits_c(program, contract, ""), "digits.h": digits_h(program, contract, "", "0")}
        texts["layers.h"] = layers_h(program)
        found = run_wasm(page, compile_wasm(texts), (inputs ^ -128).view(np.uint8), len(contract.labels))
        np.testing.assert_array_equal(found, litert(content, inputs, kernels), f"seed {seed}: {graph}")


@pytest.mark.slow
@COMPILER
def test_a_users_model_equals_litert(page: "Page", tmp_path: Path) -> None:
    model = write_tflite(tmp_path, "int8")
    engine = load(model).classifier.engine
    images = pictures(200)
    found = run_wasm(page, build_wasm(model, OPTIONS), images, 10)
    np.testing.assert_array_equal(found, engine.invoke(engine.feed(images)))
