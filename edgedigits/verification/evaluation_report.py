"""The evaluation of a folder as JSON objects and as lines for a terminal."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from edgedigits.predicting.text import NO_DIGIT, single_line
from edgedigits.verification.alignment import Pair
from edgedigits.verification.folder_evaluation import Case, FolderEvaluation, share_right
from edgedigits.verification.intervals import Share
from edgedigits.verification.reliability import BINS

SCHEMA = 1
MOST_CONFUSIONS = 8
MOST_MISREAD = 20
NAME, COUNT = 30, 9


def to_dict(found: FolderEvaluation) -> dict[str, Any]:
    """Return the evaluation as JSON objects; docs/evaluation.md describes them. Shares are 0..1."""
    digits = found.digit_scores
    return {
        "schema": SCHEMA,
        "model": found.model,
        "engine": found.engine,
        "device": found.device,
        "providers": list(found.providers),
        "pictures": len(found.cases),
        "single": {
            **_counted(found.single),
            "by_kind": {kind: _counted(cases) for kind, cases in found.single_by_kind.items()},
        },
        "several": {
            **_counted(found.several),
            "digits": {"true": digits.true, "read": digits.read, "right": digits.right},
            "precision": _share(digits.precision),
            "recall": _share(digits.recall),
        },
        "no_digit": _counted(found.without),
        "confusions": [{"true": true, "read": read, "count": count} for (true, read), count in found.confusions],
        "calibration": _calibration(found),
        "ms": {stage: round(taken, 4) for stage, taken in found.ms.items()},
        "misread": [_case(case) for case in found.misread],
        "left_out": {**_counted(found.left_out), "misread": [_case(case) for case in found.left_out if not case.right]},
    }


def _counted(cases: Sequence[Case]) -> dict[str, Any]:
    return {"pictures": len(cases), "right": sum(case.right for case in cases), "share": _share(share_right(cases))}


def _share(share: Share | None) -> dict[str, float] | None:
    if share is None:
        return None
    return {"value": round(share.value, 6), "low": round(share.low, 6), "high": round(share.high, 6)}


def _case(case: Case) -> dict[str, Any]:
    found = {"file": case.picture.name, "kind": case.picture.kind, "true": case.picture.label}
    if case.reading is None:
        return {**found, "error": case.error}
    return {**found, "read": case.reading.text, "confidence": round(case.confidence, 4)}


def _calibration(found: FolderEvaluation) -> dict[str, Any] | None:
    bins = found.calibration
    if bins is None:
        return None
    return {
        "digits": int(bins.counts.sum()),
        "expected_error": round(bins.expected_error, 6),
        "bins": [
            {
                "from": round(number / BINS, 4),
                "to": round((number + 1) / BINS, 4),
                "digits": int(bins.counts[number]),
                "right": round(float(bins.accuracy[number]), 6),
                "confidence": round(float(bins.confidence[number]), 6),
            }
            for number in range(BINS)
        ],
    }


def as_lines(found: FolderEvaluation) -> Iterator[str]:
    """Yield the evaluation as lines of a table, then what went wrong."""
    yield f"{'pictures':{NAME}}{'all':>{COUNT}}{'right':>{COUNT}}{'share':>{COUNT}}  95% interval"
    yield from _rows("with one digit", found.single)
    for kind, cases in found.single_by_kind.items():
        yield from _rows(f"  {kind or 'of no kind'}", cases)
    yield from _rows("with several, all right", found.several)
    digits = found.digit_scores
    if found.several:
        yield _row("  digits there, read right", digits.true, digits.right, digits.recall)
        yield _row("  digits read, right", digits.read, digits.right, digits.precision)
    yield from _rows("with none, read as empty", found.without)
    yield from _rows("left out by their note", found.left_out)
    yield ""
    yield from _calibration_lines(found)
    if found.ms:
        stages = ", ".join(f"{stage} {taken:.2f}" for stage, taken in found.ms.items())
        yield f"median milliseconds: {stages}"
    if found.confusions:
        most = ", ".join(f"{_pair(pair)} {count}x" for pair, count in found.confusions[:MOST_CONFUSIONS])
        rest = len(found.confusions) - MOST_CONFUSIONS
        yield f"confusions: {most}" + (f", and {rest} other kinds" if rest > 0 else "")
    yield from _misread_lines(found.misread)


def _rows(name: str, cases: Sequence[Case]) -> Iterable[str]:
    return [_row(name, len(cases), sum(case.right for case in cases), share_right(cases))] if cases else []


def _row(name: str, count: int, right: int, share: Share | None) -> str:
    interval = f"{share.value:>{COUNT}.2%}  {share.low:.2%} to {share.high:.2%}" if share else ""
    return f"{name:{NAME}}{count:>{COUNT},}{right:>{COUNT},}{interval}"


def _pair(pair: Pair) -> str:
    true, read = pair
    if true is None:
        return f"{read} where none is"
    return f"{true} missed" if read is None else f"{true} read as {read}"


def _calibration_lines(found: FolderEvaluation) -> Iterator[str]:
    bins = found.calibration
    if bins is None:
        return
    yield f"expected calibration error {bins.expected_error:.2%}, over {int(bins.counts.sum()):,} digits read:"
    for number in range(BINS - 1, -1, -1):
        if bins.counts[number]:
            yield (
                f"  said {bins.confidence[number]:6.1%} on average, right {bins.accuracy[number]:6.1%},"
                f" {int(bins.counts[number]):,} digits"
            )


def _misread_lines(misread: Sequence[Case]) -> Iterator[str]:
    if not misread:
        return
    yield f"not read right, the surest first ({len(misread)}):"
    for case in misread[:MOST_MISREAD]:
        yield f"  {case.picture.name}: {describe(case)}"
    if len(misread) > MOST_MISREAD:
        yield f"  and {len(misread) - MOST_MISREAD} more; --json lists all, --sheet shows them"


def describe(case: Case) -> str:
    """Return in a few words what stands in a picture and what was read."""
    if case.reading is None:
        return case.error
    said = f"{case.picture.label or NO_DIGIT} read as {single_line(case.reading.text)}"
    return f"{said} ({case.confidence:.1%})" if case.read else said
