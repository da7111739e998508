"""An operator as C: constants, the call that computes a row, and the memory that it needs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from edgedigits_exporters.microcontroller import literals
from edgedigits_exporters.microcontroller.graph import Operator, Tensor, Window, WindowedOperator
from edgedigits_runtime.errors import ArtifactUnsupported

STORED = 128
"""The C code stores an int8 value plus this as uint8, so that a pixel needs no conversion."""

LONGEST_WINDOW, LONGEST_SIDE = 255, 32767
"""Largest uint8_t and int16_t."""


@dataclass(frozen=True)
class Source:
    """An input of a layer.

    Args:
        stage: the number of the stage that makes it.
        tensor: as the layer reads it.
        made: as the stage makes it; the shapes differ where a RESHAPE is between.
    """

    stage: int
    tensor: Tensor
    made: Tensor


@dataclass(frozen=True)
class Reads:
    """The rows of `stage` that another one reads: `rows` returns their (first, end) for a step, end excluded."""

    stage: int
    rows: Callable[[int], tuple[int, int]]


@dataclass(frozen=True)
class Place:
    """The number of a layer, from 1, and how many of the last rows of its inputs, as it reads them, and of its output
    are in memory."""

    number: int
    input_rows: tuple[int, ...]
    rows: int


@dataclass(frozen=True)
class Layer:
    """An operator as C.

    Args:
        kernels: names of C files under operators/, each after those that it needs.
        steps: number of calls; one for each row, except for sums.
        reads: rows of its inputs that a step needs.
        structure: the C type that holds its numbers.
        define: returns the definition of the structure and of its arrays.
        call: the statement that computes row y; {input} (or {inputs}), {output}, {patch} and {kept} are addresses.
        comment: for the reader of the C code.
        patch_bytes: memory within a step.
        wide_patch_bytes: the same on processors that multiply several values at once.
        kept_bytes: memory from the first step to the last.
        window_height: rows that the C code has pointers to at once.
    """

    kernels: tuple[str, ...]
    steps: int
    reads: tuple[Reads, ...]
    structure: str
    define: Callable[[Place], str]
    call: str
    comment: str
    patch_bytes: int = 0
    wide_patch_bytes: int = 0
    kept_bytes: int = 0
    window_height: int = 0


def make_layer(
    operator: Operator,
    sources: tuple[Source, ...],
    kernels: tuple[str, ...],
    structure: str,
    fields: Callable[[Place], Mapping[str, object]],
    call: str,
    *,
    arrays: Callable[[Place], list[str]] = lambda _: [],
    **others: Any,
) -> Layer:
    """Return a layer that computes each row of its output from that row of its inputs, unless `others` differ.

    Args:
        operator, sources: what it computes.
        kernels, structure, call: see Layer.
        fields: returns the fields of the structure.
        arrays: returns the definitions before it.
        others: further arguments of Layer.
    """

    def define(place: Place) -> str:
        return "\n".join([*arrays(place), literals.structure(structure, f"layer_{place.number}", fields(place))])

    usual = {
        "steps": operator.output.shape[0],
        "reads": tuple(map(rows_read, sources)),
        "comment": summary(operator),
    }
    return Layer(kernels=kernels, structure=structure, define=define, call=call, **{**usual, **others})


def rows_read(source: Source, window: Window | None = None) -> Reads:
    """Return the rows of a source that row y needs: those under the window, or all after a RESHAPE."""
    height = source.made.shape[0]
    if source.tensor.shape != source.made.shape:
        return Reads(source.stage, lambda _y: (0, height))
    if window is None:
        return Reads(source.stage, lambda y: (y, y + 1))
    (size, _), (stride, _), (above, _) = window.size, window.stride, window.before

    def rows(y: int) -> tuple[int, int]:
        first = y * stride - above
        return max(0, min(first, height - 1)), max(1, min(first + size, height))

    return Reads(source.stage, rows)


def window_fields(source: Tensor, window: Window, rows: int, output: Tensor) -> str:
    """Return the initialiser of a C input_window; `rows` of the source are in memory."""
    height, width, channels = source.shape
    return literals.initialiser({
        "height": height, "width": width, "channels": channels, "rows": rows,
        "window_height": window.size[0], "window_width": window.size[1],
        "stride_down": window.stride[0], "stride_right": window.stride[1],
        "above": window.before[0], "left": window.before[1], "zero": source.zero_point + STORED,
        "is_one_piece": "true" if _is_one_piece(source, window, rows, output) else "false",
    })  # fmt: skip


def _is_one_piece(source: Tensor, window: Window, rows: int, output: Tensor) -> bool:
    """Whether no window reaches beyond the source, and each is contiguous in memory."""
    (height, width, _), (rows_made, columns_made, _) = source.shape, output.shape
    (down, right), (size_down, size_right) = window.stride, window.size
    # With padding before the first window, the last one always reaches beyond these.
    is_inside = (rows_made - 1) * down + size_down <= height and (columns_made - 1) * right + size_right <= width
    return is_inside and (size_down == 1 or (size_right == width and rows == height))


def resident_rows(source: Source, rows: int) -> int:
    """Return the number of rows of a source's tensor in memory if `rows` of its stage's rows are."""
    return source.tensor.shape[0] if source.tensor.shape != source.made.shape else rows


def refused(operator: Operator, problem: str) -> ArtifactUnsupported:
    """Return the error for an operator whose C could not equal LiteRT."""
    where = f"operator {operator.position} ({operator.name}), which makes '{operator.output.name}',"
    return ArtifactUnsupported(f"{where} {problem}")


def require_sizes(operator: Operator) -> None:
    """Refuse sizes that the C structures cannot hold.

    Raises:
        ArtifactUnsupported: a window of more than 255 rows or columns, or a side of more than 32767.
    """
    window = operator.window if isinstance(operator, WindowedOperator) else Window((1, 1))
    sides = (*operator.output.shape, *(side for tensor in operator.inputs for side in tensor.shape))
    if max(*window.size, *window.stride) > LONGEST_WINDOW or max(sides) > LONGEST_SIDE:
        raise refused(
            operator,
            f"has a window, stride or side of {max(*window.size, *window.stride, *sides)}, expected at most"
            f" {LONGEST_WINDOW} and {LONGEST_SIDE}; make the layer smaller",
        )


def summary(operator: Operator, window: Window | None = None) -> str:
    """Return an operator with its shapes, quantization and window, for a comment."""
    inputs = " and ".join(describe(tensor) for tensor in operator.inputs)
    return f"{operator.name}: {inputs} to {describe(operator.output)}{', ' + describe_window(window) if window else ''}"


def describe(tensor: Tensor) -> str:
    """Return a tensor's shape and quantization."""
    height, width, channels = tensor.shape
    return f"{height}x{width}x{channels} (scale {tensor.scale:.6g}, zero point {tensor.zero_point})"


def describe_window(window: Window) -> str:
    """Return a window's size and stride."""
    return f"window {window.size[0]}x{window.size[1]}, stride {window.stride[0]}x{window.stride[1]}"
