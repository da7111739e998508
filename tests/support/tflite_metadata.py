"""TFLite Metadata written slot by slot, as metadata_schema.fbs numbers them, and put into a `.tflite` file."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tests.support.edited_tflite import changed


def metadata_bytes(
    name: str = "digits", mean: Sequence[float] = (), std: Sequence[float] = (), files: Sequence[tuple[str, int]] = ()
) -> bytes:
    """Return a ModelMetadata.

    Args:
        name: of the model; its description is "Reads " and the name.
        mean, std: of the input's NormalizationOptions; there are none if both are empty.
        files: name and type of each associated file of the output.
    """
    builder = flatbuffers.Builder(256)
    units = []
    if mean or std:
        options = _table(builder, 2, {0: _floats(builder, mean), 1: _floats(builder, std)})
        units = [_table(builder, 2, {1: options}, {0: 1})]
    taken = _table(builder, 7, {0: builder.CreateString("image"), 4: _tables(builder, units)})
    listed = [
        _table(builder, 4, {0: builder.CreateString(file), 3: builder.CreateString("en")}, {2: kind})
        for file, kind in files
    ]
    made = _table(builder, 7, {6: _tables(builder, listed)})
    graph = _table(builder, 7, {2: _tables(builder, [taken]), 3: _tables(builder, [made])})
    words = {0: builder.CreateString(name), 1: builder.CreateString(f"Reads {name}"), 2: builder.CreateString("v1")}
    builder.Finish(_table(builder, 8, {**words, 3: _tables(builder, [graph])}), b"M001")
    return bytes(builder.Output())


def with_metadata(content: bytes, metadata: bytes | None, members: Mapping[str, bytes]) -> bytes:
    """Return a `.tflite` file with a metadata entry, and with a zip of `members` behind it if there are any."""

    def add(model: Any) -> None:
        buffer, entry = schema.BufferT(), schema.MetadataT()
        buffer.data = np.frombuffer(metadata or b"", np.uint8)
        entry.name, entry.buffer = b"TFLITE_METADATA", len(model.buffers)
        model.buffers.append(buffer)
        model.metadata = [entry]

    file = io.BytesIO(content if metadata is None else changed(content, add))
    if members:
        with zipfile.ZipFile(file, "a") as archive:
            for name, text in members.items():
                archive.writestr(name, text)
    return file.getvalue()


def _table(builder: Any, slots: int, offsets: Mapping[int, int], types: Mapping[int, int] | None = None) -> int:
    builder.StartObject(slots)
    for slot, offset in offsets.items():
        builder.PrependUOffsetTRelativeSlot(slot, offset, 0)
    for slot, number in (types or {}).items():
        builder.PrependUint8Slot(slot, number, 0)
    return int(builder.EndObject())


def _tables(builder: Any, offsets: Sequence[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


def _floats(builder: Any, numbers: Sequence[float]) -> int:
    builder.StartVector(4, len(numbers), 4)
    for number in reversed(numbers):
        builder.PrependFloat32(number)
    return int(builder.EndVector())
