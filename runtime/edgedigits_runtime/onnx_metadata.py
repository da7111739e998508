"""Read the metadata of an `.onnx` file without ONNX or ONNX Runtime, which the light install does not have.

An ONNX file is a Protocol Buffers message. Metadata are its field 14, each a message of key (field 1) and value
(field 2): ModelProto and StringStringEntryProto in onnx.proto
(https://github.com/onnx/onnx/blob/main/onnx/onnx.proto). All else is skipped.
"""

from edgedigits_runtime.untrusted.protobuf import LENGTH_DELIMITED, fields, texts

METADATA_PROPS = 14
KEY, VALUE = 1, 2


def read_metadata(model: bytes) -> dict[str, str]:
    """Return the metadata of a serialized ONNX model.

    Raises:
        ValueError: the bytes are no whole message.
    """
    found = {}
    for number, kind, _, content in fields(memoryview(model)):
        if kind == LENGTH_DELIMITED and number == METADATA_PROPS:
            entry = dict(texts(content))
            found[entry.get(KEY, b"").decode()] = entry.get(VALUE, b"").decode()
    return found
