"""Names and figures of results as text."""

from typing import Any

_ENGINES = {"litert": "LiteRT", "onnxruntime": "ONNX Runtime", "keras": "Keras", "c": "C"}


def engine_title(engine: str) -> str:
    """Return an engine's official name."""
    return _ENGINES.get(engine, engine)


def board_of(result: dict[str, Any]) -> str:
    """Return the name of a result's machine: its board, else its processor."""
    fingerprint = result.get("fingerprint") or {}
    processor = (fingerprint.get("processor") or {}).get("model")
    return str(fingerprint.get("board") or processor or "unknown machine")


def count_of(number: int, thing: str) -> str:
    """Return "1 thread", "2 threads"."""
    return f"{number} {thing}{'s' if number != 1 else ''}"


def duration(milliseconds: float) -> str:
    """Return a time with three digits, in µs, ms or s."""
    if milliseconds < 1:
        return f"{1000 * milliseconds:.3g} µs"
    return f"{milliseconds:.3g} ms" if milliseconds < 999.5 else f"{milliseconds / 1000:,.3g} s"


def three_digits(value: float) -> str:
    """Return a number with three digits, or with all digits before its point."""
    if value >= 1000:
        return f"{value:,.0f}"
    rounded = float(f"{value:.3g}")
    digits = 3 if rounded < 1 else 2 if rounded < 10 else 1 if rounded < 100 else 0
    return f"{rounded:.{digits}f}"


def times_text(ratio: float) -> str:
    """Return a ratio with three digits, or with all digits before its point."""
    return f"{ratio:.3g}" if ratio < 100 else f"{ratio:,.0f}"


def times_range(ratio: dict[str, Any] | None, between: str = " to ") -> str:
    """Return a ratio with its interval, if it has one."""
    if ratio is None:
        return "-"
    low, high = ratio["low"], ratio["high"]
    known = low is not None and high is not None and low != high
    return times_text(ratio["value"]) + (f" ({times_text(low)}{between}{times_text(high)})" if known else "")


def size(count: int | None) -> str:
    """Return bytes in kB or MB; "?" if unknown."""
    if count is None:
        return "?"
    if count < 1e6:
        return f"{count / 1e3:,.0f} kB"
    return f"{count / 1e6:,.{0 if count >= 10e6 else 1}f} MB"
