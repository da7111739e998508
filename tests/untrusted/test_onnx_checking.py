"""Untrusted `.onnx` files: those that contradict themselves, leave their folder or run code are refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from edgedigits.model_files import SHIPPED, shipped_names
from edgedigits_runtime.engines import open_engine
from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactError, ArtifactUnsupported
from edgedigits_runtime.untrusted import checked_content, limits
from edgedigits_runtime.untrusted.onnx import OPERATORS, check, stays_inside
from tests.conftest import REPOSITORY
from tests.support.damaged_bytes import damaged
from tests.support.tiny_models import contract, expected, onnx_bytes, pictures, write_onnx


def changed(change: Callable[[Any], None]) -> bytes:
    model = onnx.load_from_string(onnx_bytes(contract()))
    change(model)
    return bytes(model.SerializeToString())


def refusal(content: bytes, source: str = "x.onnx") -> str:
    with pytest.raises(ArtifactError) as caught:
        check(content, source)
    message = str(caught.value)
    assert message.startswith(source) and "\n" not in message and len(message) < 400
    return message


@pytest.mark.parametrize("name", shipped_names())
def test_shipped_files_pass(name: str) -> None:
    checked_content(SHIPPED / f"{name}.onnx")


def test_files_of_many_operators_pass() -> None:
    wide = sorted((REPOSITORY / "tests" / "support" / "wide").glob("*.onnx"))
    assert len(wide) == 2
    for path in wide:
        checked_content(path)


def test_the_operators_are_those_of_onnx() -> None:
    known = {schema.name for schema in onnx.defs.get_all_schemas()}
    assert OPERATORS[""] <= known
    takes_a_graph = {"If", "Loop", "Scan", "SequenceMap"}
    assert OPERATORS[""].isdisjoint({*takes_a_graph, "Range"})


def operator(name: str, domain: str = "") -> Callable[[Any], None]:
    def change(model: Any) -> None:
        model.graph.node[0].op_type, model.graph.node[0].domain = name, domain

    return change


def branch(model: Any) -> None:
    inner = helper.make_graph([], "inner", [], [])
    model.graph.node[0].attribute.append(helper.make_attribute("then_branch", inner))


def function(model: Any) -> None:
    node = helper.make_node("Relu", ["x"], ["y"])
    model.functions.append(helper.make_function("mine", "F", ["x"], ["y"], [node], [helper.make_opsetid("", 17)]))


def training(model: Any) -> None:
    model.training_info.add()


def sparse(model: Any) -> None:
    model.graph.sparse_initializer.add()


def second_input(model: Any) -> None:
    model.graph.input.append(helper.make_tensor_value_info("other", TensorProto.FLOAT, [1]))


def attribute(name: str, values: list[int] | int) -> Callable[[Any], None]:
    return lambda model: model.graph.node[0].attribute.append(helper.make_attribute(name, values))


def shape(*sizes: int) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        del model.graph.initializer[0].dims[:]
        model.graph.initializer[0].dims.extend(sizes)

    return change


def dtype(number: int) -> Callable[[Any], None]:
    return lambda model: setattr(model.graph.initializer[0], "data_type", number)


def bomb(model: Any) -> None:
    """A constant in an attribute with a shape larger than its data."""
    tensor = TensorProto(dims=[2**20, 2**20], data_type=1, raw_data=b"")
    model.graph.node[0].attribute.append(helper.make_attribute("value", tensor))


LIES: dict[str, tuple[Callable[[Any], None], type[ArtifactError], str]] = {
    "unknown": (operator("Mystery"), ArtifactUnsupported, "'Mystery'"),
    "another domain": (operator("Flatten", "evil.org"), ArtifactUnsupported, "'evil.org.Flatten'"),
    "loop": (operator("Loop"), ArtifactUnsupported, "'Loop'"),
    "from a file": (operator("EPContext", "com.microsoft"), ArtifactUnsupported, "'com.microsoft.EPContext'"),
    "of any size": (operator("ConstantOfShape"), ArtifactUnsupported, "(ConstantOfShape)"),
    "branch": (branch, ArtifactUnsupported, "operator 0 (Flatten)"),
    "function": (function, ArtifactUnsupported, "functions"),
    "training": (training, ArtifactUnsupported, "training"),
    "sparse": (sparse, ArtifactUnsupported, "sparse"),
    "two inputs": (second_input, ArtifactUnsupported, "2 inputs"),
    "no output": (lambda model: model.graph.output.pop(), ArtifactUnsupported, "0 outputs"),
    "no graph": (lambda model: model.ClearField("graph"), ArtifactCorrupt, "0 graphs"),
    "stride 0": (attribute("strides", [0, 1]), ArtifactCorrupt, "strides [0, 1]"),
    "huge padding": (attribute("pads", [0, 0, 2**40, 0]), ArtifactCorrupt, "pads"),
    "negative group": (attribute("group", -1), ArtifactCorrupt, "group [-1]"),
    "short": (shape(784, 11), ArtifactCorrupt, "34496 bytes, it has 31360"),
    "negative": (shape(-784, -10), ArtifactCorrupt, "[-784, -10]"),
    "huge": (shape(2**40, 2**40), ArtifactUnsupported, "268,435,456"),
    "texts": (dtype(8), ArtifactUnsupported, "string"),
    "complex numbers": (dtype(14), ArtifactUnsupported, "complex64"),
    "another type": (dtype(11), ArtifactCorrupt, "62720 bytes"),
    "bomb": (bomb, ArtifactUnsupported, "4,398,046,511,104 bytes"),
}


@pytest.mark.parametrize("case", LIES)
def test_a_whole_file_that_lies_is_refused(case: str) -> None:
    change, error, fact = LIES[case]
    content = changed(change)
    assert fact in refusal(content)
    with pytest.raises(error):
        check(content, "x.onnx")


def test_two_graphs_are_refused() -> None:
    """Protocol Buffers merges two messages of one field, so a check of one of them would miss the other."""
    content = onnx_bytes(contract())
    assert "2 graphs" in refusal(content + content)


def test_too_many_parts_are_refused() -> None:
    def many(model: Any) -> None:
        for _ in range(limits.PARTS + 1):
            model.graph.node.add().op_type = "Relu"

    assert "10,000" in refusal(changed(many))


def external(location: str, **places: int) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in {"location": location, **places}.items():
            tensor.external_data.add(key=key, value=str(value))

    return change


@pytest.mark.parametrize(
    "location",
    ["../weights.bin", "/etc/passwd", "a/../../b", "..", "C:\\windows\\win.ini", "\\\\host\\share", "a\\..\\..\\b", ""],
)
def test_external_data_outside_the_folder_is_refused(location: str, tmp_path: Path) -> None:
    assert "'weights'" in refusal(changed(external(location)), str(tmp_path / "x.onnx"))


def test_external_data_behind_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(bytes(31_360))
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "weights.bin").symlink_to(tmp_path / "secret")
    assert "'weights.bin'" in refusal(changed(external("weights.bin")), str(folder / "x.onnx"))


def test_missing_or_short_external_data_is_refused(tmp_path: Path) -> None:
    source = str(tmp_path / "x.onnx")
    assert "'weights.bin'" in refusal(changed(external("weights.bin")), source)
    (tmp_path / "weights.bin").write_bytes(bytes(31_360))
    check(changed(external("weights.bin")), source)
    assert "'weights.bin'" in refusal(changed(external("weights.bin", offset=1)), source)
    assert "-5" in refusal(changed(external("weights.bin", offset=-5)), source)
    assert "'weights.bin'" in refusal(changed(external("weights.bin", length=10)), source)


def test_external_data_in_the_folder_is_read(tmp_path: Path) -> None:
    path = write_onnx(tmp_path)
    raw = onnx.load(path).graph.initializer[0].raw_data
    (tmp_path / "weights.bin").write_bytes(raw)
    path.write_bytes(changed(external("weights.bin")))
    images = pictures(3)
    with open_engine(path, contract=contract(format="onnx")) as engine:
        np.testing.assert_allclose(engine.run(images), expected(images), atol=1e-5)


@given(st.text(max_size=30))
def test_a_location_that_stays_inside_has_no_parent_parts(location: str) -> None:
    if stays_inside(location):
        folder = Path("/a/b/c")
        assert Path(str(folder / location)).is_relative_to(folder) and ".." not in (folder / location).parts


def test_a_file_in_onnx_runtimes_own_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.onnx"
    path.write_bytes(b"\x18\0\0\0ORTM" + bytes(200))
    with pytest.raises(ArtifactCorrupt):
        open_engine(path, contract=contract(format="onnx"))


def test_constants_among_the_inputs_pass() -> None:
    """Files of the first versions list them there."""

    def old(model: Any) -> None:
        tensor = model.graph.initializer[0]
        model.graph.input.append(helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))

    check(changed(old), "x.onnx")


def test_typed_fields_pass() -> None:
    def plain(model: Any) -> None:
        array = numpy_helper.to_array(model.graph.initializer[0])
        model.graph.initializer[0].CopyFrom(helper.make_tensor("weights", 1, array.shape, array.ravel().tolist()))

    check(changed(plain), "x.onnx")


def survives(content: bytes) -> None:
    try:
        check(content, "x.onnx")
    except (ArtifactCorrupt, ArtifactUnsupported) as error:
        assert "\n" not in str(error)


WHOLE = onnx_bytes(contract())
SMALL = (SHIPPED / "pico.onnx").read_bytes()


@given(data=st.data())
def test_damaged_bytes_are_refused_or_pass(data: st.DataObject) -> None:
    survives(damaged(data.draw(st.sampled_from([WHOLE, SMALL])), data))


def convolution(model: Any) -> None:
    weights = numpy_helper.from_array(np.ones((4, 1, 3, 3), np.float32), "kernel")
    model.graph.initializer.append(weights)
    model.graph.node.insert(0, helper.make_node("Conv", ["image", "kernel"], ["c"], kernel_shape=[127, 3]))


def test_a_kernel_shape_that_contradicts_the_weights_is_refused() -> None:
    """ONNX Runtime crashed on it."""
    assert "[127, 3] for weights of [4, 1, 3, 3]" in refusal(changed(convolution))


def padding(counts: str, *others: Any) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        model.graph.node.extend(others)
        model.graph.node.append(helper.make_node("Pad", ["image", counts], ["padded"]))

    return change


def test_invalid_padding_is_refused() -> None:
    """ONNX Runtime crashed on a number far below 0."""

    def constant(counts: list[int]) -> Any:
        return helper.make_node("Constant", [], ["counts"], value=numpy_helper.from_array(np.array(counts)))

    check(changed(padding("counts", constant([0, 1, 1, 0, 0, 1, 1, 0]))), "x.onnx")
    assert "[0, -4666" in refusal(changed(padding("counts", constant([0, -(0x40C1 << 48)]))))
    assert "(Pad)" in refusal(changed(padding("image")))
    ints = helper.make_node("Constant", [], ["counts"], value_ints=[0, 70_000])
    assert "[0, 70000]" in refusal(changed(padding("counts", ints)))


def resized(operator: str, *sizes: Any, **attributes: Any) -> bytes:
    """A model with an operator whose output is as large as its inputs say; a text is the name of a tensor."""

    def change(model: Any) -> None:
        names = []
        for place, size in enumerate(sizes):
            names.append(size if isinstance(size, str) else f"size{place}")
            if not isinstance(size, str):
                model.graph.initializer.append(numpy_helper.from_array(size, names[-1]))
        model.graph.node.append(helper.make_node("Shape", ["image"], ["shape"]))
        model.graph.node.append(helper.make_node("Concat", ["shape", "one"], ["longer"], axis=0))
        model.graph.initializer.append(numpy_helper.from_array(np.array([3], np.int64), "one"))
        model.graph.node.append(helper.make_node(operator, ["image", *names], ["resized"], **attributes))

    return changed(change)


KERNEL = np.zeros((1, 1, 2, 2), np.float32)
SIZED = {
    "Tile": (np.array([1, 2, 2, 1], np.int64), np.array([1, 9999, 9999, 1], np.int64)),
    "Expand": (np.array([2, 28, 28, 1], np.int64), np.array([65_000, 65_000], np.int64)),
    "Resize": (np.array([1, 2, 2, 1], np.float32), np.array([1, 1e6, 1e6, 1], np.float32)),
}


def of_text(body: str) -> bytes:
    """A model in ONNX's text form, with the input x, of integers, and the output y."""
    text = f'<ir_version: 8, opset_import: ["" : 17]> agraph (int64[2, 2] x) => (int64[2, 2] y) {body}'
    return bytes(onnx.parser.parse_model(text).SerializeToString())


@pytest.mark.parametrize(
    "body",
    ["<int64[1] d = {7}> { y = Mod(x, d) }", "<int64[1] d = {-2}> { y = Div(x, d) }", "{ y = Div(x, x) }",
     "{ y = Mod<fmod = 1>(x, x) }", '{ y = Einsum<equation = "ij,jk->ik">(x, x) }'],
)  # fmt: skip
def test_divisions_and_products_pass(body: str) -> None:
    check(of_text(body), "x.onnx")


@pytest.mark.parametrize(
    ("body", "fact"),
    [("<int64[1] d = {-1}> { y = Mod(x, d) }", "[-1]"), ("<int64[2] d = {3, 0}> { y = Div(x, d) }", "[3, 0]"),
     ("{ y = Mod(x, x) }", "(Mod)"), ('{ y = Einsum<equation = "ij,kl,mn->ik">(x, x, x) }', "3 tensors")],
)  # fmt: skip
def test_divisions_that_crash_and_large_products_are_refused(body: str, fact: str) -> None:
    """ONNX Runtime crashed on the least integer divided by -1."""
    assert fact in refusal(of_text(body))


@pytest.mark.parametrize("operator", SIZED)
def test_operators_make_tensors_of_small_constant_sizes(operator: str) -> None:
    small, large = ([""] * (operator == "Resize") + [sizes] for sizes in SIZED[operator])
    check(resized(operator, *small), "x.onnx")
    assert f"({operator})" in refusal(resized(operator, *large))
    assert f"({operator})" in refusal(resized(operator, *large[:-1], "image"))


def test_operators_make_tensors_of_the_sizes_of_others() -> None:
    check(resized("Expand", "longer"), "x.onnx")
    check(resized("Resize", "", "", "shape"), "x.onnx")
    assert "(Tile)" in refusal(resized("Tile", "longer"))
    assert "(Resize)" in refusal(resized("Resize", "", "", np.array([1, 65_000, 65_000, 1], np.int64)))
    assert "(Resize)" in refusal(resized("Resize", "", np.array([1, np.nan, 2, 1], np.float32)))


def test_constants_are_as_small_as_their_shapes() -> None:
    """PyTorch makes the first state of an LSTM so."""

    def constant(shape: list[int]) -> bytes:
        def change(model: Any) -> None:
            model.graph.initializer.append(numpy_helper.from_array(np.array(shape, np.int64), "sizes"))
            model.graph.node.append(helper.make_node("ConstantOfShape", ["sizes"], ["zeros"]))

        return changed(change)

    check(constant([1, 1, 32]), "x.onnx")
    assert "(ConstantOfShape)" in refusal(constant([65_000, 65_000]))


def test_a_transposed_convolution_enlarges_little() -> None:
    check(resized("ConvTranspose", KERNEL, strides=[2, 2]), "x.onnx")
    assert "strides [999, 999]" in refusal(resized("ConvTranspose", KERNEL, strides=[999, 999]))


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    """ONNX Runtime accepted them, and its Python module raised UnicodeDecodeError."""
    content = onnx_bytes(contract())
    refusal(content.replace(b"probabilities", b"probabilitie\xff"))
    path = tmp_path / "x.onnx"
    path.write_bytes(content.replace(b'"labels"', b'"label\xff"'))
    images = pictures(2)
    with open_engine(path, contract=contract(format="onnx")) as engine:
        np.testing.assert_allclose(engine.run(images), expected(images), atol=1e-5)
    with pytest.raises(ArtifactCorrupt):
        open_engine(path)


@pytest.mark.parametrize("kind", ["input", "output", "value_info"])
def test_invalid_declared_shapes_are_refused(kind: str) -> None:
    """ONNX Runtime crashed on a side of 2,147,483,647, and passed names to Python that it could not decode."""

    def declared(change: Callable[[Any], None]) -> bytes:
        def add(model: Any) -> None:
            if kind == "value_info":
                model.graph.value_info.add().CopyFrom(model.graph.input[0])
            change(getattr(model.graph, kind)[0].type.tensor_type.shape.dim[1])

        return changed(add)

    def sized(size: int) -> Callable[[Any], None]:
        return lambda dimension: setattr(dimension, "dim_value", size)

    assert "268,435,456" in refusal(declared(sized(2**31 - 1)))
    assert "-5" in refusal(declared(sized(-5)))
    named = declared(lambda dimension: setattr(dimension, "dim_param", "a side"))
    check(named, "x.onnx")
    assert "utf-8" in refusal(named.replace(b"a side", b"a\xb1side"))


@given(st.binary(max_size=300))
def test_noise_is_refused(noise: bytes) -> None:
    refusal(noise)
