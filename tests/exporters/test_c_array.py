"""A model as a C array: the same bytes, the right operators, and a close upper estimate of the arena."""

import itertools
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given
from hypothesis import strategies as st

from edgedigits_exporters.microcontroller.parsing import load_model
from edgedigits_exporters.microcontroller.tflite_micro.arena import estimate_arena
from edgedigits_exporters.microcontroller.tflite_micro.array import (
    ArrayOptions,
    array_files,
    export,
    identifier,
)
from edgedigits_exporters.microcontroller.tflite_micro.kernels import COMMIT, HEADER_SHA256, KERNELS
from edgedigits_exporters.whole_folders import write_folder
from edgedigits_runtime.embedded_contract import read_contract, strip_zip
from edgedigits_runtime.errors import (
    ArtifactCorrupt,
    ArtifactError,
    ArtifactUnsupported,
    ExportError,
    OutputNotWritable,
)
from tests.support.edited_tflite import INT8, MODELS, SHIPPED, UINT8, Builder, changed, packed, shipped, tensor_of
from tests.support.lstm_tflite import lstm_tflite
from tests.support.needs import skip_without
from tests.support.tiny_models import contract, int8_contract, tflite_bytes, write_tflite

OPTIONS = ArrayOptions()

MEASURED = {"pico": (3920, 8944), "nano": (10976, 14566), "base": (18816, 27312), "max": (31360, 37856)}
"""Head and total of the arena, from tflite-micro's RecordingMicroAllocator on x86-64."""

STUB = """
#pragma once
enum TfLiteStatus { kTfLiteOk, kTfLiteError };
namespace tflite {
template <unsigned int count>
struct MicroMutableOpResolver {
  unsigned int used = 0;
  TfLiteStatus add() { return ++used > count ? kTfLiteError : kTfLiteOk; }
METHODS
};
}
"""


def files_of(name: str) -> dict[str, str]:
    path = MODELS / f"{name}.tflite"
    return array_files(path.read_bytes(), name, read_contract(path))


def written(source: str) -> bytes:
    """The bytes of the array in a C file."""
    body = source.split("= {", 1)[1].split("};", 1)[0]
    return bytes(int(value, 16) for value in body.replace("\n", " ").split(",") if value.strip())


@pytest.mark.parametrize("name", SHIPPED)
def test_the_array_is_the_file_without_its_contract(name: str) -> None:
    files = files_of(name)
    assert sorted(files) == sorted([f"{name}_model.h", f"{name}_model.c", f"{name}_ops.h", "README.md"])
    assert written(files[f"{name}_model.c"]) == strip_zip(shipped(name))
    assert f"{name}_model_len = {len(strip_zip(shipped(name)))};" in files[f"{name}_model.c"]


def test_the_files_list_the_contract_and_the_operators() -> None:
    header = files_of("pico")["pico_model.h"]
    assert "int8 [1, 28, 28, 1], real = (stored + 128) * 0.00392156886" in header
    assert (
        "CONV_2D (version 3), DEPTHWISE_CONV_2D (version 3), FULLY_CONNECTED (version 4), SOFTMAX (version 2)" in header
    )
    measured = read_contract(MODELS / "pico.tflite").accuracy
    assert measured is not None
    assert f"Accuracy: {measured['top1']:.2%} of 10000 images of mnist" in header
    resolver = files_of("pico")["pico_ops.h"]
    assert "MicroMutableOpResolver<4>" in resolver
    for call in ("AddConv2D", "AddDepthwiseConv2D", "AddFullyConnected", "AddSoftmax"):
        assert f"resolver.{call}() != kTfLiteOk" in resolver


@pytest.mark.parametrize("name", SHIPPED)
def test_the_arena_matches_the_interpreter(name: str) -> None:
    arena = estimate_arena(load_model(shipped(name), name))
    head, total = MEASURED[name]
    assert arena.activations == head
    assert total <= arena.activations + arena.structures <= 1.05 * total
    assert f"MODEL_ARENA_BYTES {arena.total}" in files_of(name)[f"{name}_model.h"]


def typed(name: str, kind: int, *others: int) -> bytes:
    """A file of one operator, on activations of a type and constants of others."""
    build = Builder([1, 4], kind)
    build.add(name, build.tensor([1, 4], kind), *(build.constant([[1] * 4] * 4, other) for other in others))
    build.graph.inputs, build.graph.outputs = [0], [build.last]
    return packed(build.model)


FLOAT32, INT16 = schema.TensorType.FLOAT32, schema.TensorType.INT16


def reduced() -> bytes:
    build = Builder([1, 4, 4, 8])
    build.add("MEAN", build.tensor([1, 8]), build.constant([1, 2]), options="ReducerOptions")
    build.graph.inputs, build.graph.outputs = [0], [build.last]
    return packed(build.model)


@pytest.mark.parametrize(
    ("content", "head", "tail"),
    [
        (lstm_tflite("float32"), 192, 1936),
        (lstm_tflite("int8"), 112, 2048),
        (reduced(), 208, 912),
        (typed("SOFTMAX", INT16), 32, 2992),
    ],
)
def test_the_arena_holds_what_kernels_request(content: bytes, head: int, tail: int) -> None:
    """Head and tail are those of RecordingMicroAllocator on x86-64."""
    arena = estimate_arena(load_model(content, "x"))
    assert arena.activations == head
    assert tail <= arena.structures <= 1.2 * tail


def test_an_lstm_is_added_to_the_resolver() -> None:
    assert "AddUnidirectionalSequenceLSTM" in array_files(lstm_tflite("int8"), "x", None)["x_ops.h"]


def test_the_arena_reuses_memory_of_unneeded_activations() -> None:
    build = Builder([1, 4, 4, 1])
    for _ in range(5):
        build.add("RELU", build.tensor([1, 4, 4, 1]))
    build.graph.inputs, build.graph.outputs = [0], [build.last]
    assert estimate_arena(load_model(packed(build.model), "x")).activations == 2 * 16


@given(st.lists(st.integers(1, 40), min_size=1, max_size=8))
def test_the_arena_holds_the_largest_neighbours(sizes: list[int]) -> None:
    build = Builder([1, sizes[0]])
    for size in sizes[1:]:
        build.add("RESHAPE", build.tensor([1, size]))
    build.graph.inputs, build.graph.outputs = [0], [build.last]
    aligned = [-(-size // 16) * 16 for size in sizes]
    planned = estimate_arena(load_model(packed(build.model), "x")).activations
    neighbours = [sum(pair) for pair in itertools.pairwise(aligned)]
    assert max(neighbours, default=aligned[0]) <= planned <= sum(aligned)


def test_float_models_are_arrays_too() -> None:
    files = array_files(tflite_bytes(None), "tiny", contract())
    assert "AddFullyConnected" in files["tiny_ops.h"]
    assert "Input: float32 [None, 28, 28, 1]; pixels" in files["tiny_model.h"]
    assert all("Precision: float32" in files[name] for name in ("tiny_model.h", "README.md"))


def test_the_readme_of_a_foreign_file_says_that_it_has_no_contract() -> None:
    assert "no contract" in array_files(tflite_bytes(None, "int8"), "tiny", None)["README.md"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("base", "base"),
        ("plain-3conv", "plain_3conv"),
        ("3 Conv!", "model_3_conv"),
        ("ziffern ä", "ziffern"),
        ("…", "model"),
    ],
)
def test_names_become_identifiers(name: str, expected: str) -> None:
    assert identifier(name) == expected


@given(st.text(max_size=30))
def test_any_name_becomes_an_identifier(name: str) -> None:
    assert identifier(name).isidentifier()
    assert identifier(name).isascii()


def test_operators_map_to_resolver_methods() -> None:
    methods = {name: method for name, (method, _) in KERNELS.items()}
    assert methods["CONV_2D"] == "AddConv2D"
    assert methods["L2_POOL_2D"] == "AddL2Pool2D"
    assert methods["PADV2"] == "AddPadV2"
    assert methods["UNIDIRECTIONAL_SEQUENCE_LSTM"] == "AddUnidirectionalSequenceLSTM"
    assert "GELU" not in methods and "CUSTOM" not in methods
    assert len(set(methods.values())) == len(methods) > 90
    assert (len(COMMIT), len(HEADER_SHA256)) == (40, 64)


@pytest.mark.parametrize(
    ("content", "facts"),
    [
        (typed("FULLY_CONNECTED", FLOAT32, INT8), r"FULLY_CONNECTED.* float32 activations and int8 weights"),
        (typed("EXP", INT8), r"EXP.* int8.* takes float32"),
        (typed("ELU", INT16), r"ELU.* int16.* takes float32, int8"),
        (typed("SOFTMAX", UINT8), r"SOFTMAX.* uint8.* takes float32, int16, int8"),
        (typed("DEQUANTIZE", schema.TensorType.FLOAT16), "DEQUANTIZE.* float16"),
        (typed("GELU", INT8), "no kernel for GELU"),
    ],
)
def test_types_without_a_kernel_are_refused(content: bytes, facts: str) -> None:
    with pytest.raises(ArtifactUnsupported, match=f"^x: .*{facts}"):
        array_files(content, "x", None)


def test_types_with_a_kernel_are_accepted() -> None:
    for content in (typed("EXP", FLOAT32), typed("SOFTMAX", INT16), typed("FULLY_CONNECTED", INT8, INT8)):
        assert array_files(content, "x", None)


def test_all_operators_without_a_kernel_are_named() -> None:
    build = Builder([1, 4])
    for name in ("GELU", "RELU", "WHERE", "GELU"):
        build.add(name, build.tensor([1, 4]))
    build.graph.inputs, build.graph.outputs = [0], [build.last]
    with pytest.raises(ArtifactUnsupported, match="no kernel for GELU, WHERE;"):
        array_files(packed(build.model), "x", None)


@pytest.mark.parametrize("precision", ["float16", "dynamic", "int4"])
def test_precisions_without_kernels_are_refused(precision: str) -> None:
    with pytest.raises(ExportError, match=f"int8 or float32; got {precision}"):
        ArrayOptions(precision=precision)


def test_unsupported_files_are_refused() -> None:
    def free(model: Any) -> None:
        tensor_of(model, "CONV_2D", 0).shapeSignature = [-1, -1, 28, 1]

    with pytest.raises(ArtifactUnsupported, match="-1, -1, 28, 1"):
        array_files(changed(shipped("pico"), free), "x", None)
    with pytest.raises(ArtifactCorrupt, match="TFL3"):
        array_files(b"something else, but long enough", "x", None)


@given(data=st.data())
def test_damaged_files_are_refused_or_written(data: st.DataObject) -> None:
    content = bytearray(tflite_bytes(None, "int8"))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        files = array_files(bytes(content), "x", None)
    except ArtifactError as error:
        assert "\n" not in str(error)
    else:
        assert written(files["x_model.c"]) == strip_zip(bytes(content))


def compiled(folder: Path, source: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    compiler = "g++" if source.suffix == ".cc" else "gcc"
    skip_without(compiler)
    warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    return subprocess.run(
        [compiler, *warnings, "-I", str(folder), *arguments, str(source)], capture_output=True, text=True, check=False
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files of pico; the contract's words try to break out of their comment."""
    hostile = read_contract(MODELS / "pico.tflite")
    labels = ("*/ int x;", "new\nline", "??/", *hostile.labels[3:])
    files = array_files(shipped("pico"), "pico", int8_contract(labels=labels))
    return write_folder(tmp_path / "out", files)


def test_compiles_as_c_and_is_aligned(folder: Path, tmp_path: Path) -> None:
    main = tmp_path / "main.c"
    main.write_text(
        '#include <stdint.h>\n#include "pico_model.h"\nint main(void) {\n'
        "  return ((uintptr_t)pico_model % 16) != 0 || pico_model_len < 1000 || pico_model[4] != 'T';\n}\n"
    )
    program = tmp_path / "main"
    done = compiled(folder, main, "-std=c99", str(folder / "pico_model.c"), "-o", str(program))
    assert done.returncode == 0, done.stderr
    assert subprocess.run([program], check=False).returncode == 0


def test_the_resolver_compiles_and_has_room_for_its_operators(folder: Path, tmp_path: Path) -> None:
    header = tmp_path / "tensorflow/lite/micro/micro_mutable_op_resolver.h"
    header.parent.mkdir(parents=True)
    methods = "\n".join(f"  TfLiteStatus {method}() {{ return add(); }}" for method, _ in KERNELS.values())
    header.write_text(STUB.replace("METHODS", methods))
    main = tmp_path / "main.cc"
    main.write_text(
        '#include "pico_model.h"\n#include "pico_ops.h"\nint main() {\n  pico_op_resolver resolver;\n'
        "  return pico_add_ops(resolver) != kTfLiteOk || resolver.used != 4;\n}\n"
    )
    program = tmp_path / "main"
    done = compiled(folder, main, "-std=c++17", "-I", str(tmp_path), "-o", str(program))
    assert done.returncode == 0, done.stderr
    assert subprocess.run([program], check=False).returncode == 0


def test_export_does_not_replace_a_folder(tmp_path: Path) -> None:
    model = write_tflite(tmp_path, "int8")
    out = export(model, tmp_path / "array", OPTIONS)
    assert sorted(file.name for file in out.iterdir()) == ["README.md", "tiny_model.c", "tiny_model.h", "tiny_ops.h"]
    before = (out / "tiny_model.h").stat().st_mtime_ns
    with pytest.raises(OutputNotWritable, match="array"):
        export(model, out, OPTIONS)
    assert (out / "tiny_model.h").stat().st_mtime_ns == before


def test_a_folder_is_replaced_only_on_request(tmp_path: Path) -> None:
    out = write_folder(tmp_path / "a" / "out", {"one": "1"})
    with pytest.raises(OutputNotWritable, match="--force"):
        write_folder(out, {"two": b"2"})
    assert [file.name for file in out.iterdir()] == ["one"]
    write_folder(out, {"src/two": b"2"}, replace=True)
    assert [str(file.relative_to(out)) for file in out.rglob("*") if file.is_file()] == ["src/two"]
    assert [file.name for file in out.parent.iterdir()] == ["out"]


def test_a_file_is_not_replaced_by_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputNotWritable, match="file"):
        write_folder(tmp_path / "file", {"one": "1"}, replace=True)
    with pytest.raises(OutputNotWritable, match="below"):
        write_folder(tmp_path / "file" / "below", {"one": "1"})
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_is_replaced_without_an_atomic_exchange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = write_folder(tmp_path / "out", {"one": "1"})
    monkeypatch.setattr("edgedigits_exporters.whole_folders._exchange", lambda *_: False)
    write_folder(out, {"two": "2"}, replace=True)
    assert [file.name for file in out.iterdir()] == ["two"]
    assert list(tmp_path.iterdir()) == [out]


def test_a_folder_that_cannot_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, **_: object) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(OutputNotWritable, match="Permission denied"):
        write_folder(tmp_path / "closed" / "out", {"one": "1"})
