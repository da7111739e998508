"""Format the evaluation of a folder as JSON and as lines of text."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from edgedigits.predicting.text import NO_DIGIT, single_line
from edgedigits.verification.alignment import Pair
from edgedigits.verification.folder_evaluation import Case, FolderEvaluation, share_right
from edgedigits.verification.reliability import BINS, Reliability
from edgedigits_runtime.intervals import Share

SCHEMA = 1
MOST_CONFUSIONS = 8
MOST_MISREAD = 20
NAME, COUNT = 30, 9


def to_dict(found: FolderEvaluation) -> dict[str, Any]:
    """Return the evaluation as JSON objects; docs/evaluation.md describes them."""
    digits = found.digit_scores
    by_kind = {kind: _counted(cases) for kind, cases in found.single_by_kind.items()}
    return {
        "schema": SCHEMA,
        "model": found.model,
        "engine": found.engine,
        "device": found.device,
        "providers": list(found.providers),
        "pictures": len(found.cases),
        "single": {**_counted(found.single), "by_kind": by_kind},
        "several": {
            **_counted(found.several),
            "digits": dataclasses.asdict(digits),
            "precision": _share(digits.precision),
            "recall": _share(digits.recall),
        },
        "no_digit": _counted(found.no_digit),
        "confusions": [{"true": true, "read": read, "count": count} for (true, read), count in found.confusions],
        "calibration": _reliability(found.reliability) if found.reliability else None,
        "ms": {stage: round(taken, 4) for stage, taken in found.ms.items()},
        "misread": [_case(case) for case in found.misread],
        "left_out": {**_counted(found.excluded), "misread": [_case(case) for case in found.excluded if not case.right]},
    }


def _counted(cases: Sequence[Case]) -> dict[str, Any]:
    return {"pictures": len(cases), "right": sum(case.right for case in cases), "share": _share(share_right(cases))}


def _share(share: Share | None) -> dict[str, float] | None:
    return {name: round(value, 6) for name, value in dataclasses.asdict(share).items()} if share else None


def _case(case: Case) -> dict[str, Any]:
    found = {"file": case.picture.name, "kind": case.picture.kind, "true": case.picture.label}
    if case.reading is None:
        return {**found, "error": case.error}
    return {**found, "read": case.reading.text, "confidence": round(case.confidence, 4)}


def _reliability(found: Reliability) -> dict[str, Any]:
    bins = [
        {
            "from": round(number / BINS, 4),
            "to": round((number + 1) / BINS, 4),
            "digits": int(found.counts[number]),
            "right": round(float(found.accuracy[number]), 6),
            "confidence": round(float(found.confidence[number]), 6),
        }
        for number in range(BINS)
    ]
    return {"digits": int(found.counts.sum()), "expected_error": round(found.expected_error, 6), "bins": bins}


def as_lines(found: FolderEvaluation) -> Iterator[str]:
    """Yield a table of the figures, then the errors."""
    yield f"{'pictures':{NAME}}{'all':>{COUNT}}{'right':>{COUNT}}{'share':>{COUNT}}  95% interval"
    kinds = {f"  {kind or 'without a kind'}": cases for kind, cases in found.single_by_kind.items()}
    yield from _rows({"with one digit": found.single, **kinds, "with several, all right": found.several})
    if found.several:
        digits = found.digit_scores
        yield _row("  true digits, read right", digits.true, digits.right, digits.recall)
        yield _row("  digits read, right", digits.read, digits.right, digits.precision)
    yield from _rows({"without a digit, read empty": found.no_digit, "excluded by their note": found.excluded})
    yield ""
    if found.reliability:
        yield from _reliability_lines(found.reliability)
    if found.ms:
        stages = ", ".join(f"{stage} {taken:.2f}" for stage, taken in found.ms.items())
        yield f"median milliseconds: {stages}"
    if found.confusions:
        most = ", ".join(f"{_pair(pair)} {count}x" for pair, count in found.confusions[:MOST_CONFUSIONS])
        rest = len(found.confusions) - MOST_CONFUSIONS
        yield f"confusions: {most}" + (f", and {rest} other kinds" if rest > 0 else "")
    if found.misread:
        yield f"not read right, by confidence ({len(found.misread)}):"
        yield from (f"  {case.picture.name}: {describe(case)}" for case in found.misread[:MOST_MISREAD])
    if len(found.misread) > MOST_MISREAD:
        yield f"  and {len(found.misread) - MOST_MISREAD} more; --json lists all, --sheet draws them"


def _rows(groups: dict[str, tuple[Case, ...]]) -> Iterator[str]:
    for name, cases in groups.items():
        if cases:
            yield _row(name, len(cases), sum(case.right for case in cases), share_right(cases))


def _row(name: str, count: int, right: int, share: Share | None) -> str:
    interval = f"{share.value:>{COUNT}.2%}  {share.low:.2%} to {share.high:.2%}" if share else ""
    return f"{name:{NAME}}{count:>{COUNT},}{right:>{COUNT},}{interval}"


def _pair(pair: Pair) -> str:
    true, read = pair
    if true is None:
        return f"{read} read without a digit"
    return f"{true} missed" if read is None else f"{true} read as {read}"


def _reliability_lines(bins: Reliability) -> Iterator[str]:
    yield f"expected calibration error {bins.expected_error:.2%}, over {int(bins.counts.sum()):,} digits read:"
    for count, accuracy, confidence in reversed(list(zip(bins.counts, bins.accuracy, bins.confidence, strict=True))):
        if count:
            yield f"  confidence {confidence:6.1%} on average, right {accuracy:6.1%}, {count:,} digits"


def describe(case: Case) -> str:
    """Return the true label of a picture and its reading in a few words."""
    if case.reading is None:
        return case.error
    text = f"{case.picture.label or NO_DIGIT} read as {single_line(case.reading.text)}"
    return f"{text} ({case.confidence:.1%})" if case.read else text
