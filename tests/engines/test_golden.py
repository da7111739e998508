"""Golden vectors are replayed without a difference, and a changed stage is named."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgedigits_runtime.classifier import Classifier
from edgedigits_runtime.engines import open_engine
from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactNotFound
from edgedigits_runtime.golden import (
    KEYS,
    Vectors,
    golden_path,
    packed,
    read_golden,
    record,
    replay,
    write_golden,
)
from edgedigits_runtime.reading.reader import Reader
from edgedigits_runtime.synthetic.samples import golden_pictures
from tests.support.tiny_models import contract, onnx_bytes, write_onnx, write_tflite


def reader_of(path: Path) -> Reader:
    return Reader(Classifier(open_engine(path)))


def first_difference(expected: Vectors, reader: Reader) -> str | None:
    """Return the first stage that differs, if any."""
    return next((replayed.stage for replayed in replay(expected, reader) if not replayed.alike), None)


@pytest.mark.parametrize(
    ("artifact", "golden"),
    [
        ("a/base.tflite", "a/base.golden.npz"),
        ("a/base.onnx", "a/base.onnx.golden.npz"),
        ("plain-3conv.int8.tflite", "plain-3conv.int8.golden.npz"),
    ],
)
def test_paths_of_golden_vectors(artifact: str, golden: str) -> None:
    assert golden_path(Path(artifact)) == Path(golden)


def test_recorded_vectors_are_replayed_without_a_difference(tiny_model: Path) -> None:
    path = write_golden(reader_of(tiny_model), tiny_model)
    assert path == golden_path(tiny_model)
    assert path.stat().st_size < 40_000
    assert {entry.name for entry in tiny_model.parent.iterdir()} == {tiny_model.name, path.name}
    assert first_difference(read_golden(path), reader_of(tiny_model)) is None


def test_shapes_and_dtypes_are_as_documented(tiny_model: Path) -> None:
    write_golden(reader_of(tiny_model), tiny_model)
    vectors = read_golden(golden_path(tiny_model))
    assert tuple(vectors) == KEYS
    count = len(golden_pictures())
    assert [bytes(picture) for picture in vectors["pictures"]] == [encoded for encoded, _ in golden_pictures()]
    assert (vectors["framed"].shape, vectors["framed"].dtype) == ((count, 28, 28), np.uint8)
    tensor = open_engine(tiny_model).contract.input
    assert (vectors["input"].shape, vectors["input"].dtype) == ((count, 28, 28, 1), tensor.dtype)
    assert (vectors["output"].shape, vectors["output"].dtype) == ((count, 10), tensor.dtype)
    assert vectors["text"].shape == (count,)


def test_the_same_model_gives_the_same_vectors(tiny_model: Path) -> None:
    first, second = record(reader_of(tiny_model)), record(reader_of(tiny_model))
    for key in KEYS:
        np.testing.assert_array_equal(first[key], second[key])


def _changed(vectors: Vectors, key: str) -> Vectors:
    array: Any = vectors[key].copy()
    if key == "text":
        array[3] = "x"
    elif np.issubdtype(array.dtype, np.floating):
        array.flat[5] += 2e-4
    else:
        array.flat[5] += 1
    return {**vectors, key: array}


@pytest.mark.parametrize("key", ["framed", "input", "output", "text"])
def test_the_stage_that_changed_is_named(key: str, tiny_model: Path) -> None:
    reader = reader_of(tiny_model)
    assert first_difference(_changed(record(reader), key), reader) == key


def test_another_number_of_digits_is_a_difference_in_framed(tiny_model: Path) -> None:
    reader = reader_of(tiny_model)
    vectors = record(reader)
    assert first_difference({**vectors, "framed": vectors["framed"][:-1]}, reader) == "framed"


def test_floats_may_differ_by_rounding_and_integers_may_not(tmp_path: Path) -> None:
    reader = reader_of(write_onnx(tmp_path))
    vectors = record(reader)
    assert first_difference({**vectors, "output": vectors["output"] + np.float32(5e-5)}, reader) is None
    assert first_difference({**vectors, "output": vectors["output"] + np.float32(np.nan)}, reader) == "output"


def test_vectors_of_another_model_differ(tmp_path: Path) -> None:
    vectors = record(reader_of(write_onnx(tmp_path)))
    assert first_difference(vectors, reader_of(write_tflite(tmp_path, "int8"))) == "input"
    other = tmp_path / "other.onnx"
    other.write_bytes(onnx_bytes(contract(normalisation="column-l2")))
    assert first_difference(vectors, reader_of(other)) == "input"


def test_no_vectors_and_other_files(tmp_path: Path) -> None:
    with pytest.raises(ArtifactNotFound):
        read_golden(tmp_path / "gone.golden.npz")
    array, partial = io.BytesIO(), io.BytesIO()
    np.save(array, np.zeros(3))
    np.savez(partial, framed=np.zeros(3))
    pickled = io.BytesIO()
    np.savez(pickled, **{key: np.array([{"an": "object"}]) for key in KEYS})
    for content in (b"", b"I am a text", array.getvalue(), partial.getvalue(), pickled.getvalue()):
        path = tmp_path / "odd.golden.npz"
        path.write_bytes(content)
        with pytest.raises(ArtifactCorrupt, match=r"odd\.golden\.npz") as caught:
            read_golden(path)
        assert "\n" not in str(caught.value)


@settings(max_examples=150)
@given(share=st.floats(0, 0.9999), value=st.integers(0, 255), cut=st.booleans())
def test_damage_is_an_artifact_error_or_harmless(
    share: float, value: int, cut: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp() / "golden"
    if not folder.exists():
        folder.mkdir()
        write_golden(reader_of(write_onnx(folder)), folder / "tiny.onnx")
    whole = bytearray((folder / "tiny.onnx.golden.npz").read_bytes())
    place = int(share * len(whole))
    whole[place] = value
    path = folder / "damaged.golden.npz"
    path.write_bytes(whole[:place] if cut else whole)
    try:
        assert set(read_golden(path)) == set(KEYS)
    except ArtifactCorrupt:
        return
    assert not cut


def test_the_file_does_not_contain_the_date(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = record(reader_of(tiny_model))
    today = packed(vectors)
    monkeypatch.setattr("time.time", lambda: 0.0)
    assert packed(vectors) == today
