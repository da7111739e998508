"""The manifest of a run, kept in its output. Another run neither continues nor overwrites it."""

import json
import uuid
from dataclasses import asdict, dataclass, field
from typing import Any

from edgedigits.bulk.addresses import RUN_FILE
from edgedigits.bulk.folders import Folder, can_be_locked, content_of
from edgedigits.bulk.parts import number_of
from edgedigits.bulk.plan import PlanSize
from edgedigits.bulk.units import SourceOptions
from edgedigits_runtime.errors import RunError

COMPARED = {
    "sources": "other sources",
    "folder": "sources relative to another folder",
    "model": "another model",
    "sha256": "a model with other bytes",
    "reading": "other reader options",
    "column": "another --column",
    "size": "another --part-size",
    "version": "another version of edgedigits",
}
"""Fields that must be equal when a run is resumed, and how a difference is reported."""


@dataclass(frozen=True)
class Manifest:
    """Sources and options of a run.

    Attributes:
        sources: as they were named.
        folder: the base of relative sources.
        model, sha256: the model's name, and the digest of its files.
        reading: the other options of the reader.
        column, size: see edgedigits.bulk.units.SourceOptions.
        version: of edgedigits.
        versions: of other libraries, for information.
        planned: the size of the plan; None before it is complete.
        name: a unique name.
    """

    sources: list[str]
    folder: str
    model: str
    sha256: str
    reading: dict[str, Any]
    column: str | None
    size: int | None
    version: str
    versions: dict[str, str]
    planned: PlanSize | None = None
    name: str = field(default_factory=lambda: uuid.uuid4().hex)

    def source_options(self) -> SourceOptions:
        return SourceOptions(self.folder, self.column, self.size)

    def write(self, folder: Folder) -> None:
        """Write the manifest into the output."""
        folder.write(RUN_FILE, json.dumps(asdict(self), indent=1).encode())


def find_manifest(folder: Folder, requested: Manifest, resume: bool) -> Manifest:
    """Return the manifest in the output, or the requested one if the output is empty.

    Raises:
        RunError: the output holds another run, the same run without `resume`, or other files.
    """
    where = folder.address
    content = content_of(folder, RUN_FILE)
    if content is None:
        if others := [name for name in folder.names() if not name.startswith(("_", "."))]:
            raise RunError(
                f"expected an empty or missing folder, or the output of read-bulk; {where} holds {others[0]};"
                " choose another --out"
            )
        return requested
    try:
        values = {**json.loads(content)}
        # Earlier versions had it; `version` identifies such a run.
        values.pop("contract", None)
        found = Manifest(**{**values, "planned": PlanSize(**values["planned"]) if values["planned"] else None})
    except (ValueError, TypeError, KeyError) as error:
        raise RunError(f"{where}/{RUN_FILE} is damaged; choose another --out") from error
    if not resume and can_be_locked(folder) and all(number_of(name) is None for name in folder.names()):
        # It stopped before reading anything. Without a lock, it may still be running.
        return requested
    if not resume:
        raise RunError(f"{where} holds another run; continue it with --resume, or choose another --out")
    for name, difference in COMPARED.items():
        before, now = getattr(found, name), getattr(requested, name)
        if before != now:
            before, now = _differences(before, now)
            raise RunError(
                f"the run in {where} has {difference}: {_short(before)}, now {_short(now)}; choose another --out"
            )
    return found


def _differences(before: Any, now: Any) -> tuple[Any, Any]:
    """Reduce two dicts to the items that differ."""
    if not isinstance(before, dict) or not isinstance(now, dict):
        return before, now
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    return {name: before.get(name) for name in names}, {name: now.get(name) for name in names}


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 100 else f"{text[:97]}..."
