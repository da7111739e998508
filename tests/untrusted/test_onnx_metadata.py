"""Metadata of ONNX files, read without the onnx package, agree with the package."""

import contextlib

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedigits.model_files import SHIPPED
from edgedigits_runtime.untrusted.onnx_model import read_metadata

words = st.text(max_size=300)


def model_with(metadata: dict[str, str]) -> bytes:
    graph = onnx.helper.make_graph([], "empty", [], [])
    model = onnx.helper.make_model(graph)
    onnx.helper.set_model_props(model, metadata)
    return bytes(model.SerializeToString())


@given(st.dictionaries(words, words, max_size=4))
def test_reads_what_onnx_wrote(metadata: dict[str, str]) -> None:
    assert read_metadata(model_with(metadata)) == metadata


def test_reads_a_real_model() -> None:
    content = (SHIPPED / "base.onnx").read_bytes()
    assert read_metadata(content) == {entry.key: entry.value for entry in onnx.load_from_string(content).metadata_props}


@given(st.data())
def test_a_truncated_message_gives_whole_entries_or_an_error(data: st.DataObject) -> None:
    whole = model_with({"key": "value" * 50})
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    try:
        found = read_metadata(cut)
    except ValueError:
        return
    assert found in ({}, {"key": "value" * 50})


@given(st.binary(max_size=200))
def test_any_bytes_give_a_dictionary_or_a_value_error(content: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(read_metadata(content), dict)


def test_a_group_is_refused() -> None:
    with pytest.raises(ValueError, match="wire type 3"):
        read_metadata(bytes([(1 << 3) | 3]))
