"""Mutations of model files: damaged bytes, and valid files with false contents. Each draws from a seeded generator."""

import io
import json
import random
import zipfile
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import numpy as np

from edgedigits_runtime.contract import Contract
from edgedigits_runtime.embedded_contract import MEMBER

SPECIAL_WORDS = (0, 1, 2, 4, 7, 127, 128, 255, 256, 65_535, 65_536, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
SPECIAL_NUMBERS = (-(2**31), -1000, -2, -1, 0, 1, 2, 3, 5, 127, 200, 1000, 65_535, 65_536, 2**31 - 1)
SPECIAL_FLOATS = (0.0, -1.0, 1e-40, 1e-12, 1e12, 3e38, float("inf"), float("nan"))
SPECIAL_STRINGS = ("", "x", "relu", "tanh", "os", "Lambda", "Dense", "Flatten", "keras.layers", "valid")

Random = random.Random
Places = Sequence[range]
"""Parts of a file that are not weights; they get most of the damage."""


def places_outside(content: bytes, constants: Sequence[bytes]) -> list[range]:
    """Return the parts of a file outside its large constants."""
    taken = []
    for constant in constants:
        start = content.find(constant) if len(constant) > 64 else -1
        if start >= 0:
            taken.append((start + 16, start + len(constant)))
    places, position = [], 0
    for start, end in [*sorted(taken), (len(content), len(content))]:
        if start > position:
            places.append(range(position, start))
        position = max(position, end)
    return places


def damaged(content: bytes, places: Places, dice: Random) -> bytes:
    """Return a file after one to four kinds of damage to its bytes."""
    made = bytearray(content)
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        dice.choice(DAMAGES)(made, places, dice)
    return bytes(made)


def _place(made: bytearray, places: Places, dice: Random) -> int:
    if places and dice.random() < 0.9:
        chosen = dice.choices(places, [len(place) for place in places])[0]
        return min(dice.choice(chosen), len(made) - 1)
    return dice.randrange(len(made))


def _flip(made: bytearray, places: Places, dice: Random) -> None:
    for _ in range(dice.choice((1, 1, 2, 8)) if made else 0):
        place = _place(made, places, dice)
        made[place] = dice.choice((made[place] ^ (1 << dice.randrange(8)), dice.randrange(256)))


def _set_word(made: bytearray, places: Places, dice: Random) -> None:
    if len(made) >= 8:
        place = min(_place(made, places, dice) // 4 * 4, len(made) - 4)
        before = int.from_bytes(made[place : place + 4], "little")
        word = dice.choice((*SPECIAL_WORDS, before + 1, before - 1, before + 4, before * 2))
        made[place : place + 4] = (word & 0xFFFFFFFF).to_bytes(4, "little")


def _truncate(made: bytearray, places: Places, dice: Random) -> None:
    if made and dice.random() < 0.3:
        del made[_place(made, places, dice) :]


def _swap(made: bytearray, places: Places, dice: Random) -> None:
    """Swap two blocks, which may be tables."""
    length = dice.choice((4, 8, 16, 32, 64))
    if len(made) > 4 * length:
        one, other = (min(_place(made, places, dice) // 4 * 4, len(made) - length) for _ in range(2))
        if abs(one - other) >= length:
            first, second = bytes(made[one : one + length]), bytes(made[other : other + length])
            made[one : one + length], made[other : other + length] = second, first


def _copy(made: bytearray, places: Places, dice: Random) -> None:
    length = dice.choice((2, 4, 8, 32))
    if len(made) > 4 * length:
        source, target = (min(_place(made, places, dice), len(made) - length) for _ in range(2))
        made[target : target + length] = made[source : source + length]


def _shift(made: bytearray, places: Places, dice: Random) -> None:
    """Remove or insert a few bytes, which makes all later offsets wrong."""
    if made:
        place, length = _place(made, places, dice), dice.choice((1, 2, 4, 16))
        if dice.random() < 0.5:
            del made[place : place + length]
        else:
            made[place:place] = dice.randbytes(length)


DAMAGES = (_flip, _flip, _set_word, _set_word, _truncate, _swap, _copy, _shift)


def false_tflite(content: bytes, dice: Random) -> bytes:
    """Return a valid `.tflite` file with one to three values changed."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(content, 0)
    graph = model.subgraphs[0]
    parts = [*graph.tensors, *graph.operators, *model.operatorCodes, graph]
    parts += [part for part in (t.quantization for t in graph.tensors) if part is not None]
    parts += [part for part in (o.builtinOptions for o in graph.operators) if part is not None] * 3
    for _ in range(dice.choice((1, 1, 2, 3))):
        if dice.random() < 0.2:
            _exchange(graph, dice)
        else:
            _change_object(dice.choice(parts), dice)
    builder = flatbuffers.Builder(len(content) + 1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _exchange(graph: Any, dice: Random) -> None:
    """Swap two tensors, two operators, or the buffers of two tensors."""
    kind = dice.choice(("tensors", "operators", "buffers"))
    listed = graph.operators if kind == "operators" else graph.tensors
    one, other = (dice.randrange(len(listed)) for _ in range(2))
    if kind == "buffers":
        listed[one].buffer, listed[other].buffer = listed[other].buffer, listed[one].buffer
    else:
        listed[one], listed[other] = listed[other], listed[one]


def _change_object(part: Any, dice: Random) -> None:
    if names := [name for name, value in vars(part).items() if _changeable(value)]:
        name = dice.choice(names)
        setattr(part, name, _changed_value(getattr(part, name), dice))


def _changed_value(value: Any, dice: Random) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        # The writer refuses numbers that do not fit their field.
        small = value + dice.choice((-1, 1)) if abs(value) < 120 else value
        return dice.choice([small, *range(12), dice.randrange(126)])
    if isinstance(value, float):
        return dice.choice(SPECIAL_FLOATS)
    numbers = list(value)
    kind = float if "float" in str(getattr(value, "dtype", "")) else int
    place = dice.randrange(len(numbers))
    choice = dice.random()
    if choice < 0.2:
        del numbers[place]
    elif choice < 0.3:
        numbers.append(numbers[place])
    else:
        numbers[place] = dice.choice(SPECIAL_FLOATS if kind is float else (*range(30), *SPECIAL_NUMBERS))
    return [kind(number) for number in numbers]


def _changeable(value: Any) -> bool:
    if isinstance(value, (bool, int, float)):
        return True
    listed = hasattr(value, "__len__") and 0 < len(value) < 1000 and not isinstance(value, (bytes, str))
    return listed and isinstance(value[0], (int, float, np.number))


def false_onnx(content: bytes, dice: Random) -> bytes:
    """Return a valid `.onnx` message with one to three values changed."""
    import onnx

    model = onnx.load_from_string(content)
    for _ in range(dice.choice((1, 1, 2, 3))):
        ONNX_CHANGES[dice.randrange(len(ONNX_CHANGES))](model.graph, dice)
    return bytes(model.SerializeToString())


def _onnx_attribute(graph: Any, dice: Random) -> None:
    nodes = [node for node in graph.node if node.attribute]
    if not nodes:
        return
    attribute = dice.choice(dice.choice(nodes).attribute)
    fields = {1: ("f", SPECIAL_FLOATS), 2: ("i", SPECIAL_NUMBERS), 3: ("s", (b"VALID", b"SAME_UPPER", b"", b"\xff"))}
    if attribute.ints:
        place = dice.randrange(len(attribute.ints))
        if dice.random() < 0.2:
            del attribute.ints[place]
        else:
            attribute.ints[place] = dice.choice((*range(9), *SPECIAL_NUMBERS))
    elif attribute.type in fields:
        name, values = fields[attribute.type]
        setattr(attribute, name, dice.choice(values))


def _onnx_operator(graph: Any, dice: Random) -> None:
    from edgedigits_runtime.untrusted.onnx import OPERATORS

    dice.choice(graph.node).op_type = dice.choice(sorted(OPERATORS[""]))


def _onnx_name(graph: Any, dice: Random) -> None:
    names = [name for node in graph.node for name in (*node.input, *node.output)] + [""]
    node = dice.choice(graph.node)
    side = dice.choice((node.input, node.output))
    if side:
        side[dice.randrange(len(side))] = dice.choice(names)
    else:
        side.append(dice.choice(names))


def _onnx_dims(graph: Any, dice: Random) -> None:
    if graph.initializer:
        tensor = dice.choice(graph.initializer)
        if tensor.dims and dice.random() < 0.7:
            place, other = (dice.randrange(len(tensor.dims)) for _ in range(2))
            tensor.dims[place], tensor.dims[other] = tensor.dims[other], tensor.dims[place]
        elif dice.random() < 0.5:
            tensor.dims.append(1)
        else:
            tensor.data_type = dice.choice((1, 2, 3, 6, 7, 10, 11))


def _onnx_constant(graph: Any, dice: Random) -> None:
    """Change a number in a small constant, such as the shape of a Reshape."""
    small = [tensor for tensor in graph.initializer if 0 < len(tensor.raw_data) <= 64]
    if small:
        tensor = dice.choice(small)
        raw = bytearray(tensor.raw_data)
        place = dice.randrange(len(raw)) // 8 * 8
        raw[place : place + 8] = dice.choice(SPECIAL_NUMBERS).to_bytes(8, "little", signed=True)[: len(raw) - place]
        tensor.raw_data = bytes(raw)


def _onnx_order(graph: Any, dice: Random) -> None:
    one, other = (graph.node[dice.randrange(len(graph.node))] for _ in range(2))
    first = deepcopy(one)
    one.CopyFrom(other)
    other.CopyFrom(first)


def _onnx_input_or_output(graph: Any, dice: Random) -> None:
    tensor_type = dice.choice((*graph.input, *graph.output)).type.tensor_type
    dims = tensor_type.shape.dim
    if dims and dice.random() < 0.8:
        dims[dice.randrange(len(dims))].dim_value = dice.choice(SPECIAL_NUMBERS)
    else:
        tensor_type.elem_type = dice.choice((1, 2, 3, 7, 11))


ONNX_CHANGES = (
    *(_onnx_attribute, _onnx_attribute, _onnx_operator, _onnx_name),
    *(_onnx_dims, _onnx_constant, _onnx_order, _onnx_input_or_output),
)


def false_keras(content: bytes, dice: Random) -> bytes:
    """Return a `.keras` file with a changed config, or changed bytes in one of its members."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    if dice.random() < 0.7:
        config = json.loads(members["config.json"])
        for _ in range(dice.choice((1, 1, 2, 4))):
            _change_json(config, dice)
        members["config.json"] = json.dumps(config).encode()
    else:
        name = dice.choice(sorted(members))
        members[name] = damaged(members[name], [range(min(4000, len(members[name])))], dice)
    if dice.random() < 0.1:
        members.pop(dice.choice(sorted(members)))
    return _zip(members)


def _zip(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return file.getvalue()


FALSE_CONTENTS = {"tflite": false_tflite, "onnx": false_onnx, "keras": false_keras}


def _change_json(config: Any, dice: Random) -> None:
    """Change one value in a JSON object; all depths are equally likely."""
    inside: list[tuple[Any, Any]] = []
    waiting = [config]
    while waiting:
        value = waiting.pop()
        keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
        inside += [(value, key) for key in keys]
        waiting += [value[key] for key in keys]
    holder, key = dice.choice(inside)
    value = holder[key]
    choices: dict[type, tuple[Any, ...]] = {
        bool: (True, False, 1, "x"), type(None): (True, False, 1, "x"), int: (*range(9), *SPECIAL_NUMBERS),
        float: (0.0, -1.0, 1e30, 1e-40), str: SPECIAL_STRINGS,
    }  # fmt: skip
    holder[key] = dice.choice(choices.get(type(value), (None, [], {}, 3, "x", [value, value])))


def with_damaged_contract(content: bytes, contract: Contract, dice: Random) -> bytes:
    """Return a `.tflite` file with a changed contract, or with a damaged zip after it."""
    fields = json.loads(contract.to_json())
    for _ in range(dice.choice((0, 1, 1, 2, 4))):
        _change_json(fields, dice)
    text = json.dumps(fields).encode()
    if dice.random() < 0.3:
        text = damaged(text, [], dice)
    appended = _zip({MEMBER: text}, dice.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)))
    return content + (damaged(appended, [], dice) if dice.random() < 0.5 else appended)
