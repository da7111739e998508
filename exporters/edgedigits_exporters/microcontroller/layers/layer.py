"""What each operator's module makes of it: constants, the call that makes a row, and what it needs in memory."""

from collections.abc import Callable
from dataclasses import dataclass

from edgedigits_exporters.microcontroller.graph import Convolution, Operator, Pool, Tensor, Window
from edgedigits_exporters.microcontroller.planning.rows import Reads
from edgedigits_exporters.microcontroller.writing import literals
from edgedigits_runtime.errors import ArtifactUnsupported

STORED = 128
"""Inside the C code an int8 value is stored plus this, as uint8: a pixel is then fed as it is."""

LONGEST_WINDOW, LONGEST_SIDE = 255, 32767
"""What uint8_t and int16_t hold."""


@dataclass(frozen=True)
class Source:
    """An input of a layer.

    Args:
        stage: the number of the stage that makes it.
        tensor: as the layer sees it.
        made: as the stage makes it; another shape where a RESHAPE stands between.
    """

    stage: int
    tensor: Tensor
    made: Tensor


@dataclass(frozen=True)
class Place:
    """What is known of a layer once its memory is planned.

    Args:
        number: of the layer, from 1.
        input_rows: for each input, how many of its last rows are in memory.
        rows: the same of its output.
    """

    number: int
    input_rows: tuple[int, ...]
    rows: int


@dataclass(frozen=True)
class Layer:
    """An operator as C.

    Args:
        kernels: files under kernels/, each behind those it needs.
        steps: how often it is called; once for each row, but for sums.
        reads: which rows of its inputs a step needs.
        patch_bytes: memory within a step; wide_ on processors that multiply several values at once.
        kept_bytes: memory from the first step to the last.
        window_height: rows that the C code points to at once.
        structure: the C type that holds its numbers.
        define: the definition of it and of its arrays, once its place is known.
        call: the statement that makes row y; {input} (or {inputs}), {output}, {patch} and {kept} stand for places.
        comment: what the reader of the C code should know of it.
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


def rows_read(source: Source, window: Window | None = None) -> Reads:
    """Return which rows of a source are needed for row y: those under the window, or all behind a RESHAPE."""
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


def window_fields(source: Source, window: Window, rows: int, output: Tensor) -> str:
    """Return the initialiser of a C input_window; `rows` of the source are in memory."""
    height, width, channels = source.tensor.shape
    fields = {
        "height": height, "width": width, "channels": channels, "rows": resident_rows(source, rows),
        "window_height": window.size[0], "window_width": window.size[1],
        "stride_down": window.stride[0], "stride_right": window.stride[1],
        "above": window.before[0], "left": window.before[1], "zero": source.tensor.zero_point + STORED,
        "is_one_piece": "true" if _is_one_piece(source, window, resident_rows(source, rows), output) else "false",
    }  # fmt: skip
    return literals.initialiser({name: str(value) for name, value in fields.items()})


def _is_one_piece(source: Source, window: Window, rows: int, output: Tensor) -> bool:
    """Return whether no window reaches beyond the source, and each lies in memory without gaps."""
    (height, width, _), (rows_made, columns_made, _) = source.tensor.shape, output.shape
    (down, right), (size_down, size_right) = window.stride, window.size
    # Padding before the first window always leaves the last beyond these.
    is_inside = (rows_made - 1) * down + size_down <= height and (columns_made - 1) * right + size_right <= width
    return is_inside and (size_down == 1 or (size_right == width and rows == height))


def resident_rows(source: Source, rows: int) -> int:
    """Return how many rows of a source's tensor are in memory if `rows` of those that its stage made are."""
    return source.tensor.shape[0] if source.tensor.shape != source.made.shape else rows


def refused(operator: Operator, why: str) -> ArtifactUnsupported:
    """Return the error that says why an operator cannot become C that answers as LiteRT does."""
    where = f"operator {operator.position} ({operator.name}), which makes '{operator.output.name}',"
    return ArtifactUnsupported(f"{where} {why}")


def require_sizes(operator: Operator) -> None:
    """Refuse sizes that the C structures cannot hold.

    Raises:
        ArtifactUnsupported: a window of more than 255 rows or columns, or a side of more than 32767.
    """
    window = operator.window if isinstance(operator, Convolution | Pool) else Window((1, 1))
    sides = (*operator.output.shape, *(side for tensor in operator.inputs for side in tensor.shape))
    if max(*window.size, *window.stride) > LONGEST_WINDOW or max(sides) > LONGEST_SIDE:
        raise refused(
            operator,
            f"has a window, stride or side of {max(*window.size, *window.stride, *sides)}, and at most"
            f" {LONGEST_WINDOW} and {LONGEST_SIDE} are compiled; make the layer smaller",
        )


def described(tensor: Tensor) -> str:
    """Return a tensor's shape and quantization for a comment."""
    height, width, channels = tensor.shape
    return f"{height}x{width}x{channels} (scale {tensor.scale:.6g}, zero point {tensor.zero_point})"
