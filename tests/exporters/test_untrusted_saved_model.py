"""Untrusted SavedModels: operators that read or write files, links, signatures, damage."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedigits_exporters.untrusted_saved_model import OPERATORS, Signature, check, keras_metadata
from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactError, ArtifactNotFound, ArtifactUnsupported
from edgedigits_runtime.untrusted import limits
from tests.support.protobuf_messages import (
    FLOAT,
    STRING,
    function,
    message,
    node,
    signature,
    write_saved_model,
)

SERVE = function("serve", node("MatMul"), node("Softmax"))
SAVE = function("__inference__traced_save_1", node("ShardedFilename"), node("SaveV2"))
CALLS_SAVE = function("serve", node("PartitionedCall", "__inference__traced_save_1"))


def refusal(folder: Path) -> str:
    with pytest.raises(ArtifactUnsupported) as caught:
        check(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_classifier_passes(tmp_path: Path) -> None:
    main = (node("Placeholder"), node("StatefulPartitionedCall", "serve"), node("PartitionedCall", "save"))
    folder = write_saved_model(tmp_path / "m", SERVE, SAVE, nodes=main)
    assert check(folder) == Signature("serving_default", ("image",), ("output_0",))


@pytest.mark.parametrize("operator", ["ReadFile", "WriteFile", "PyFunc", "EagerPyFunc", "PrintV2", "MyOperator", ""])
def test_operators_that_do_more_than_compute_are_refused(operator: str, tmp_path: Path) -> None:
    assert repr(operator) in refusal(write_saved_model(tmp_path / "a", function("serve", node(operator))))
    assert repr(operator) in refusal(write_saved_model(tmp_path / "b", SERVE, nodes=(node(operator),)))


def test_the_last_name_of_an_operator_counts_as_in_tensorflow(tmp_path: Path) -> None:
    twice = function("serve", message((2, "Identity"), (2, "WriteFile")))
    assert "WriteFile" in refusal(write_saved_model(tmp_path / "m", twice))


NAMED = {
    "a call": ((CALLS_SAVE, SAVE), b""),
    "a call in a list of functions": (
        (
            function(
                "serve", message((2, "Case"), (5, message((2, message((1, message((9, message((1, "save"))))))))))
            ),
            function("save", node("SaveV2")),
        ),
        b"",
    ),
    "a concrete function": ((SERVE, SAVE), message((2, message((1, "__inference__traced_save_1"))))),
    "a function of an object": (
        (SERVE, SAVE),
        message((1, message((6, message((1, "__inference__traced_save_1")))))),
    ),
    "a bare function": ((SERVE, SAVE), message((1, message((8, message((1, "__inference__traced_save_1"))))))),
    "a name in two parts": (
        (SERVE, message((1, message((1, "save"))), (1, message((3, "x"))), (3, node("SaveV2")))),
        message((2, message((1, "save")))),
    ),
}


@pytest.mark.parametrize("how", NAMED)
def test_a_save_function_that_may_be_called_is_refused(how: str, tmp_path: Path) -> None:
    functions, objects = NAMED[how]
    assert "'SaveV2'" in refusal(write_saved_model(tmp_path / "m", *functions, objects=objects)).replace(
        "'ShardedFilename'", "'SaveV2'"
    )


def test_save_operators_in_the_main_graph_are_refused(tmp_path: Path) -> None:
    assert "RestoreV2" in refusal(write_saved_model(tmp_path / "m", SERVE, nodes=(node("RestoreV2"),)))


def test_tensorflow_1_is_refused(tmp_path: Path) -> None:
    assert "TensorFlow 1" in refusal(write_saved_model(tmp_path / "m", SERVE, objects=None))


def test_several_inputs_outputs_and_texts_are_refused_by_name(tmp_path: Path) -> None:
    two = {"serving_default": signature({"left": FLOAT, "right": FLOAT})}
    assert "left, right" in refusal(write_saved_model(tmp_path / "two", SERVE, signatures=two))
    outputs = {"serving_default": signature({"image": FLOAT}, ("digit", "writer"))}
    assert "digit, writer" in refusal(write_saved_model(tmp_path / "outputs", SERVE, signatures=outputs))
    text = {"serving_default": signature({"jpeg": STRING})}
    assert "pixels" in refusal(write_saved_model(tmp_path / "text", SERVE, signatures=text))


def test_the_only_signature_is_taken_and_none_of_several(tmp_path: Path) -> None:
    only = {"__saved_model_init_op": message(), "predict": signature({"image": FLOAT})}
    assert check(write_saved_model(tmp_path / "only", SERVE, signatures=only)).name == "predict"
    several = {"a": signature({"image": FLOAT}), "b": signature({"image": FLOAT})}
    assert "a, b" in refusal(write_saved_model(tmp_path / "several", SERVE, signatures=several))
    assert "none" in refusal(write_saved_model(tmp_path / "none", SERVE, signatures={}))


def test_links_and_large_folders_are_refused(tmp_path: Path) -> None:
    linked = write_saved_model(tmp_path / "linked", SERVE)
    (linked / "variables").symlink_to("/etc")
    assert "'variables'" in refusal(linked)
    large = write_saved_model(tmp_path / "large", SERVE)
    with (large / "variables.data").open("wb") as file:
        file.truncate(limits.MODEL_BYTES)
    assert f"{limits.MODEL_BYTES:,}" in refusal(large)


def test_other_folders_and_damage(tmp_path: Path) -> None:
    with pytest.raises(ArtifactNotFound, match=r"saved_model\.pb"):
        check(tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"\xff" * 20)
    with pytest.raises(ArtifactCorrupt, match="not complete"):
        check(tmp_path)


def test_metadata_of_keras_is_found_in_its_file_or_in_the_graph(tmp_path: Path) -> None:
    model = (message((3, "root"), (4, "_tf_keras_sequential"), (5, "{}")), message((3, "root.layer-0"), (5, "no")))
    new = write_saved_model(tmp_path / "new", SERVE)
    (new / "keras_metadata.pb").write_bytes(message(*((1, part) for part in model)))
    assert keras_metadata(new) == "{}"
    root = message((4, message((1, "_tf_keras_network"), (3, '{"old": 1}'))))
    assert keras_metadata(write_saved_model(tmp_path / "old", SERVE, objects=message((1, root)))) == '{"old": 1}'
    assert keras_metadata(write_saved_model(tmp_path / "other", SERVE)) == ""


@given(content=st.binary(max_size=80))
def test_any_bytes_pass_or_are_refused(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.getbasetemp() / "any"
    folder.mkdir(exist_ok=True)
    (folder / "saved_model.pb").write_bytes(message((2, content + message((7, b"")))))
    with pytest.raises(ArtifactError):
        check(folder)


OUTSIDE = """
File PyFunc Print Dataset Reader Save Restore Merge Debug Summary Table Send Recv Rpc Remote Decode Proto Custom Xla TPU
ImmutableConst
"""


def test_no_allowed_operator_reaches_outside_of_the_graph() -> None:
    assert [name for name in OPERATORS if any(part in name for part in OUTSIDE.split())] == []
