"""The result file of a benchmark: JSON by docs/bench.schema.json, written whole after each section.

A killed run leaves its sections so far, with `"complete": false`. The file ends in a digest of itself, so that a figure
changed by hand or a lost byte is detected before it is compared.
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

SHARED = ("fingerprint", "comparable", "clock", "workload", "method")
NEEDED = {"bench": (*SHARED, "stages"), "matrix": (*SHARED, "rows", "recommendation"), "peers": (*SHARED, "rows")}
"""Each kind of result, and the sections that it needs to be complete."""

NUMBERS = re.compile(r"\[\n([-+\d.eE,\s]+)\]")  # A list of numbers only; no string in JSON contains a newline.

DIGEST = "sha256"
HEAD = ("schema", "kind", "complete", "made", "edgedigits")
ORDER = ("min", "p50", "p90", "p99", "p99_9", "max")

Result = dict[str, Any]  # The content of a result file.


class ResultFile:
    """A result that grows section by section; `content` holds those so far as JSON does: lists, no tuples."""

    def __init__(self, kind: str, path: Path | None = None) -> None:
        """Write an empty result, unless `path` is None. Raises UnknownName or OutputNotWritable."""
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
        """Set or replace a section and write the file; `value` may contain dataclasses and tuples."""
        if section in (*HEAD, DIGEST):
            raise ValueError(f"expected the name of a section; got {section}")
        self.content[section] = plain(value)
        self._write()

    def finish(self) -> Result:
        """Mark the result as complete, write it, and return it with its digest. Raises ResultInvalid."""
        self.content["complete"] = True
        finished = sealed(self.content)
        check(finished, str(self.path or "this result"))
        self._write()
        return finished

    def _write(self) -> None:
        if self.path is not None:
            write_result(self.path, self.content)


def write_result(path: Path, content: Result) -> Path:
    """Write a result with its digest."""
    text = json.dumps(sealed(content), indent=1, allow_nan=False)
    # One line for each list of numbers: a histogram has thousands.
    return write_whole(path, NUMBERS.sub(lambda found: f"[{' '.join(found[1].split())}]", text) + "\n")


def plain(value: Any) -> Any:
    """Return `value` as a JSON file would hold it; dataclasses become objects."""
    return json.loads(json.dumps(value, default=_fields, allow_nan=False))


def _fields(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    raise TypeError(f"expected a value that JSON can hold; got {type(value).__name__}")


def sealed(content: Result) -> Result:
    """Return a result with the digest of everything else in it."""
    body = {key: value for key, value in content.items() if key != DIGEST}
    return {**body, DIGEST: digest(body)}


def digest(body: Result) -> str:
    """Return the SHA-256 of a result without its digest, whatever its layout and order of keys."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def read_result(path: Path) -> Result:
    """Read a result file. Raises ResultNotFound, ResultInvalid or ResultOutdated."""
    try:
        text = path.read_text("utf-8")
    except (FileNotFoundError, IsADirectoryError):
        raise ResultNotFound(f"no result file at {path}; edgedigits bench --out {path} makes one") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ResultInvalid(f"{path} cannot be read as a result file: {error}") from error
    try:
        content = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ResultInvalid(f"{path} is no whole JSON file: {error}; measure again, or copy it again") from error
    check(content, str(path))
    return dict(content)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def check(content: Any, source: str) -> None:
    """Raise ResultInvalid or ResultOutdated if a result has another schema, was changed, or contradicts itself."""
    if not isinstance(content, dict) or not {"schema", "kind"} <= content.keys():
        raise ResultInvalid(f"{source} is not a result of edgedigits bench: it has no schema and kind")
    if content["schema"] != SCHEMA or isinstance(content["schema"], bool):
        raise ResultOutdated(
            f"{source} follows schema {content['schema']!r}, this edgedigits reads {SCHEMA}; measure again, or read"
            " it with the edgedigits that made it"
        )
    if not isinstance(content["kind"], str) or content["kind"] not in NEEDED:
        raise ResultInvalid(f"{source}: expected kind {', '.join(NEEDED)}; got {content['kind']!r}")
    if content.get(DIGEST) != sealed(content)[DIGEST]:
        raise ResultInvalid(f"{source} was changed after it was written: its digest does not fit; take the original")
    needed = (*HEAD, *(NEEDED[content["kind"]] if content.get("complete") else ()))
    if missing := [name for name in needed if name not in content]:
        raise ResultInvalid(f"{source} lacks {', '.join(missing)}")
    if wrong := next(contradictions(content), None):
        raise ResultInvalid(f"{source}: {wrong}")


def contradictions(value: Any, place: str = "") -> Iterator[str]:
    """Yield a line for each contradiction between the figures of a summary, anywhere in a result."""
    if isinstance(value, dict):
        if "histogram" in value and "p50" in value:
            try:
                yield from (f"{place or 'summary'}: {line}" for line in _of_summary(value))
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                yield f"{place or 'summary'}: not a summary: {error!r}"
        for key, inner in value.items():
            yield from contradictions(inner, f"{place}.{key}".lstrip("."))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from contradictions(inner, f"{place}[{number}]")


def _of_summary(summary: Result) -> Iterator[str]:
    figures = [summary[name] for name in ORDER]
    if figures != sorted(figures):
        yield f"{', '.join(ORDER)} do not rise: {figures}"
    # The mean has ten digits, so it may lie just outside of equal values.
    room = 1e-9 * abs(summary["max"])
    if not summary["min"] - room <= summary["mean"] <= summary["max"] + room:
        yield f"mean {summary['mean']} is outside of min to max"
    for name in ORDER[1:-1]:
        low, high = summary["interval"].get(name, (None, None))
        if (low is not None and low > summary[name]) or (high is not None and high < summary[name]):
            yield f"{name} {summary[name]} is outside of its interval {low} to {high}"
    edges, counts = summary["histogram"]["edges"], summary["histogram"]["counts"]
    if len(edges) != len(counts) + 1:
        yield f"a histogram of {len(counts)} bins has {len(edges)} edges"
    if any(low >= high for low, high in itertools.pairwise(edges)):
        yield "the histogram's edges do not rise"
    if sum(counts) != summary["count"] or min(counts, default=0) < 0:
        yield f"the histogram counts {sum(counts)} values, the summary {summary['count']}"
    if edges and not edges[0] <= summary["min"] <= summary["max"] <= edges[-1]:
        yield "the histogram does not reach from min to max"
