"""The result file of a benchmark: JSON after docs/bench.schema.json, written whole each time something was measured.

A run that is killed leaves what it had measured until then, with `"complete": false`. The file ends in a digest of
itself, so that a figure changed by hand or a byte lost on the way is found out before it is compared with anything.
"""

import dataclasses
import hashlib
import itertools
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edgedigits_runtime.errors import ResultInvalid, ResultNotFound, ResultOutdated, UnknownName
from edgedigits_runtime.machine import installed_version
from edgedigits_runtime.whole_files import write_whole

SCHEMA = 1

NEEDED = {
    "bench": ("fingerprint", "comparable", "clock", "workload", "method", "stages"),
    "matrix": ("fingerprint", "comparable", "clock", "workload", "method", "rows", "recommendation"),
    "peers": ("fingerprint", "comparable", "clock", "workload", "method", "rows"),
}
"""Each kind of result, and the sections that a complete one has; others may stand beside them."""

NUMBERS = re.compile(r"\[\n([-+\d.eE,\s]+)\]")
"""A list of nothing but numbers; no text holds a line's end in JSON."""

DIGEST = "sha256"
HEAD = ("schema", "kind", "complete", "made", "edgedigits")
ORDER = ("min", "p50", "p90", "p99", "p99_9", "max")
PERCENTILES = ORDER[1:-1]

Result = dict[str, Any]
"""What a result file holds; docs/bench.schema.json says what stands where."""


class ResultFile:
    """A result that grows section by section, on disk all the while.

    Attributes:
        content: all that was put so far, as JSON has it: lists, no tuples.
        path: of the file; None keeps it in memory only.
    """

    def __init__(self, kind: str, path: Path | None = None) -> None:
        """Begin a result of a kind of NEEDED; the file is written at once, so that a bad path is known before work.

        Raises:
            UnknownName: no such kind.
            OutputNotWritable: the file cannot be written.
        """
        if kind not in NEEDED:
            raise UnknownName("kind of result", kind, NEEDED)
        self.path = path
        self.content: Result = {
            "schema": SCHEMA,
            "kind": kind,
            "complete": False,
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "edgedigits": installed_version("edgedigits") or "unknown",
        }
        self._write()

    def put(self, section: str, value: Any) -> None:
        """Set a section and write the file.

        Args:
            section: its name; one that was put before is replaced.
            value: what JSON can hold, dataclasses and tuples among it.
        """
        if section in (*HEAD, DIGEST):
            raise ValueError(f"{section} is no section")
        self.content[section] = plain(value)
        self._write()

    def finish(self) -> Result:
        """Mark the result as complete, write it, and return it with its digest.

        Raises:
            ResultInvalid: a section is missing, or its figures contradict each other.
        """
        self.content["complete"] = True
        finished = sealed(self.content)
        check(finished, str(self.path or "this result"))
        self._write()
        return finished

    def _write(self) -> None:
        if self.path is not None:
            write_result(self.path, self.content)


def write_result(path: Path, content: Result) -> Path:
    """Write a result with its digest, whole or not at all."""
    text = json.dumps(sealed(content), indent=1, allow_nan=False)
    # Thousands of bins, each on a line of its own, are no help to who reads it or looks at what changed.
    return write_whole(path, NUMBERS.sub(lambda found: f"[{' '.join(found[1].split())}]", text) + "\n")


def plain(value: Any) -> Any:
    """Return `value` as it comes back from a JSON file; dataclasses become objects."""
    return json.loads(json.dumps(value, default=_of_dataclass, allow_nan=False))


def _of_dataclass(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    raise TypeError(f"{type(value).__name__} is nothing that JSON holds")


def sealed(content: Result) -> Result:
    """Return a result with the digest of all else in it."""
    body = {key: value for key, value in content.items() if key != DIGEST}
    return {**body, DIGEST: digest(body)}


def digest(body: Result) -> str:
    """Return the SHA-256 of a result without its digest; layout and order of keys do not count."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def read_result(path: Path) -> Result:
    """Read a result file.

    Raises:
        ResultNotFound: no such file.
        ResultInvalid: truncated, edited by hand, or something else.
        ResultOutdated: of another version of the schema.
    """
    try:
        text = path.read_text("utf-8")
    except (FileNotFoundError, IsADirectoryError):
        raise ResultNotFound(f"no result file at {path}; edgedigits bench --out {path} makes one") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ResultInvalid(f"{path} cannot be read as a result file: {error}") from error
    try:
        content = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ResultInvalid(f"{path} is no whole JSON file: {error}; measure again, or copy it again") from error
    check(content, str(path))
    return dict(content)


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def check(content: Any, source: str) -> None:
    """Refuse what is no result, of another schema, changed since it was written, or contradicts itself.

    Raises:
        ResultInvalid, ResultOutdated: with `source` as the name of what is refused.
    """
    if not isinstance(content, dict) or not {"schema", "kind"} <= content.keys():
        raise ResultInvalid(f"{source} is not a result of edgedigits bench: it has no schema and kind")
    if content["schema"] != SCHEMA or isinstance(content["schema"], bool):
        raise ResultOutdated(
            f"{source} follows schema {content['schema']!r}, this edgedigits reads {SCHEMA}; measure again, or read"
            " it with the edgedigits that made it"
        )
    if not isinstance(content["kind"], str) or content["kind"] not in NEEDED:
        raise ResultInvalid(f"{source}: expected kind {', '.join(NEEDED)}; got {content['kind']!r}")
    if content.get(DIGEST) != digest({key: value for key, value in content.items() if key != DIGEST}):
        raise ResultInvalid(f"{source} was changed after it was written: its digest does not fit; take the original")
    missing = [name for name in HEAD if name not in content]
    if content.get("complete"):
        missing += [name for name in NEEDED[content["kind"]] if name not in content]
    if missing:
        raise ResultInvalid(f"{source} lacks {', '.join(missing)}")
    if wrong := next(contradictions(content), None):
        raise ResultInvalid(f"{source}: {wrong}")


def contradictions(value: Any, place: str = "") -> Iterator[str]:
    """Yield a line for every figure that others in the same summary rule out, anywhere in a result."""
    if isinstance(value, dict):
        if "histogram" in value and "p50" in value:
            yield from (f"{place or 'summary'}: {line}" for line in _of_summary(value))
        for key, inner in value.items():
            yield from contradictions(inner, f"{place}.{key}".lstrip("."))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from contradictions(inner, f"{place}[{number}]")


def _of_summary(summary: Result) -> Iterator[str]:
    try:
        yield from _of_figures(summary)
        yield from _of_histogram(summary)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        yield f"not a summary: {error!r}"


def _of_figures(summary: Result) -> Iterator[str]:
    figures = [summary[name] for name in ORDER]
    if figures != sorted(figures):
        yield f"{', '.join(ORDER)} do not rise: {figures}"
    # Written with ten digits, so that of equal values it may lie beside them.
    room = 1e-9 * abs(summary["max"])
    if not summary["min"] - room <= summary["mean"] <= summary["max"] + room:
        yield f"mean {summary['mean']} is outside of min to max"
    for name in PERCENTILES:
        low, high = summary["interval"].get(name, (None, None))
        if (low is not None and low > summary[name]) or (high is not None and high < summary[name]):
            yield f"{name} {summary[name]} is outside of its interval {low} to {high}"


def _of_histogram(summary: Result) -> Iterator[str]:
    edges, counts = summary["histogram"]["edges"], summary["histogram"]["counts"]
    if len(edges) != len(counts) + 1:
        yield f"a histogram of {len(counts)} bins has {len(edges)} edges"
    if any(low >= high for low, high in itertools.pairwise(edges)):
        yield "the histogram's edges do not rise"
    if sum(counts) != summary["count"] or min(counts, default=0) < 0:
        yield f"the histogram counts {sum(counts)} values, the summary {summary['count']}"
    if edges and not edges[0] <= summary["min"] <= summary["max"] <= edges[-1]:
        yield "the histogram does not reach from min to max"
