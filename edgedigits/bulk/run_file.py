"""What a bulk reading was asked, kept in its output: another one does not go on with it, nor write over it."""

import json
import uuid
from dataclasses import asdict, dataclass, field
from typing import Any

from edgedigits.bulk.addresses import RUN_FILE
from edgedigits.bulk.folders import Folder, can_be_locked, content_of
from edgedigits.bulk.parts import number_of
from edgedigits.bulk.plan_files import Planned
from edgedigits_runtime.errors import RunError

WORDS = {
    "sources": "other sources",
    "folder": "sources relative to another folder",
    "model": "another model",
    "sha256": "another model: its bytes differ",
    "reading": "other options of reading",
    "contract": "another contract",
    "column": "another --column",
    "size": "another --part-size",
    "version": "another version of edgedigits",
}


@dataclass(frozen=True)
class Run:
    """One bulk reading; the fields of WORDS are the same in all that go on with it.

    Attributes:
        sources: as they were named.
        folder: what relative ones start from.
        model, sha256: its name and the digest of its files.
        reading: the other options of the reader.
        contract: digest of the contract that was given.
        column, size: see edgedigits.bulk.kinds.About.
        version: of edgedigits.
        versions: of other libraries, for people who compare.
        planned: how much there is; None while that is not known.
        name: of this run alone.
    """

    sources: list[str]
    folder: str
    model: str
    sha256: str
    reading: dict[str, Any]
    contract: str | None
    column: str | None
    size: int | None
    version: str
    versions: dict[str, str]
    planned: Planned | None = None
    name: str = field(default_factory=lambda: uuid.uuid4().hex)

    def write(self, folder: Folder) -> None:
        """Write it into the output.

        Raises:
            OutputNotWritable: see Folder.
        """
        folder.write(RUN_FILE, json.dumps(asdict(self), indent=1).encode())


def find_run(folder: Folder, asked: Run, resume: bool) -> Run:
    """Return the run that the output holds already, or the one that is asked for where it holds none.

    Raises:
        RunError: it holds another run, this one without `resume`, or something else.
    """
    where = folder.address
    content = content_of(folder, RUN_FILE)
    if content is None:
        if others := [name for name in folder.names() if not name.startswith("_")]:
            raise RunError(
                f"{where} holds {others[0]} and is no output of read-bulk; --out has to be empty, missing or a run's"
            )
        return asked
    try:
        given = json.loads(content)
        run = Run(**{**given, "planned": Planned(**given["planned"]) if given["planned"] else None})
    except (ValueError, TypeError, KeyError) as error:
        raise RunError(
            f"{where}/{RUN_FILE} is damaged, so nothing says what this run was; choose another --out"
        ) from error
    if not resume and can_be_locked(folder) and all(number_of(name) is None for name in folder.names()):
        # It ended before it read anything; without a lock it may be about to.
        return asked
    if not resume:
        raise RunError(f"{where} holds another run; go on with it by --resume, or choose another --out")
    for name, words in WORDS.items():
        before, now = getattr(run, name), getattr(asked, name)
        if before != now:
            before, now = _differing(before, now)
            raise RunError(f"{where} was begun with {words}: {_short(before)}, now {_short(now)}; choose another --out")
    return run


def _differing(before: Any, now: Any) -> tuple[Any, Any]:
    """Return of options only those that differ."""
    if not isinstance(before, dict) or not isinstance(now, dict):
        return before, now
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    return {name: before.get(name) for name in names}, {name: now.get(name) for name in names}


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 100 else f"{text[:97]}..."
