"""Format the evaluation of a folder as JSON and as lines of text."""

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
    """Return the evaluation as JSON objects; docs/evaluation.md describes them."""
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
        "no_digit": _counted(found.no_digit),
        "confusions": [{"true": true, "read": read, "count": count} for (true, read), count in found.confusions],
        "calibration": _reliability(found),
        "ms": {stage: round(taken, 4) for stage, taken in found.ms.items()},
        "misread": [_case(case) for case in found.misread],
        "left_out": {**_counted(found.excluded), "misread": [_case(case) for case in found.excluded if not case.right]},
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


def _reliability(found: FolderEvaluation) -> dict[str, Any] | None:
    bins = found.reliability
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
    """Yield a table of the figures, then the errors."""
    yield f"{'pictures':{NAME}}{'all':>{COUNT}}{'right':>{COUNT}}{'share':>{COUNT}}  95% interval"
    yield from _rows("with one digit", found.single)
    for kind, cases in found.single_by_kind.items():
        yield from _rows(f"  {kind or 'without a kind'}", cases)
    yield from _rows("with several, all right", found.several)
    digits = found.digit_scores
    if found.several:
        yield _row("  true digits, read right", digits.true, digits.right, digits.recall)
        yield _row("  digits read, right", digits.read, digits.right, digits.precision)
    yield from _rows("without a digit, read empty", found.no_digit)
    yield from _rows("excluded by their note", found.excluded)
    yield ""
    yield from _reliability_lines(found)
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
        return f"{read} read without a digit"
    return f"{true} missed" if read is None else f"{true} read as {read}"


def _reliability_lines(found: FolderEvaluation) -> Iterator[str]:
    bins = found.reliability
    if bins is None:
        return
    yield f"expected calibration error {bins.expected_error:.2%}, over {int(bins.counts.sum()):,} digits read:"
    for number in range(BINS - 1, -1, -1):
        if bins.counts[number]:
            yield (
                f"  confidence {bins.confidence[number]:6.1%} on average, right {bins.accuracy[number]:6.1%},"
                f" {int(bins.counts[number]):,} digits"
            )


def _misread_lines(misread: Sequence[Case]) -> Iterator[str]:
    if not misread:
        return
    yield f"not read right, by confidence ({len(misread)}):"
    for case in misread[:MOST_MISREAD]:
        yield f"  {case.picture.name}: {describe(case)}"
    if len(misread) > MOST_MISREAD:
        yield f"  and {len(misread) - MOST_MISREAD} more; --json lists all, --sheet draws them"


def describe(case: Case) -> str:
    """Return the true label of a picture and its reading in a few words."""
    if case.reading is None:
        return case.error
    text = f"{case.picture.label or NO_DIGIT} read as {single_line(case.reading.text)}"
    return f"{text} ({case.confidence:.1%})" if case.read else text
