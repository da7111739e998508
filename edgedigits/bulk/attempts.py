"""How often a unit was begun, and at which picture its readers ended: so none is tried for ever.

A reader that is killed leaves its note behind. After CAREFUL of them a unit is read one picture at a time, and each is
noted before it is read; a picture at which DEADLY readers ended becomes an error.
"""

import json
from collections import Counter
from typing import Any

from edgedigits.bulk.folders import Folder, content_of
from edgedigits_runtime.errors import EdgedigitsError

FOLDER = "_attempts"

CAREFUL, DEADLY, HOPELESS = 2, 3, 20
"""Readers that ended: before it is noted where, at one picture, and in a unit without one being found."""


class Attempt:
    """One reading of a unit, from its beginning."""

    def __init__(self, folder: Folder, number: int, session: str) -> None:
        """Note the beginning.

        Args:
            folder: the output.
            number: of the unit.
            session: names one run of the driver; when that is killed, its readers end without fault.

        Raises:
            EdgedigitsError: this unit has been tried often enough.
        """
        self._folder, self._name = folder, f"{FOLDER}/{number:06}.json"
        before = _note(folder, self._name)
        if before.get("session") != session:
            before = {}
        self._session = session
        self._ended: Counter[str] = Counter(before.get("ended", {}))
        self._begun = before.get("begun", 0) + 1
        if before.get("at") is not None:
            self._ended[str(before["at"])] += 1
        if self._begun > HOPELESS + DEADLY * len(self._ended):
            raise EdgedigitsError(
                f"part {number} was given up: the processes that read it ended {self._begun - 1} times, mostly for lack"
                " of memory; use fewer --workers"
            )
        self.careful = self._begun > CAREFUL
        self._write(None)

    def reads(self, index: int) -> bool:
        """Say whether the unit's picture of that index is to be read; note that it is, where care is taken."""
        if not self.careful:
            return True
        if self._ended[str(index)] >= DEADLY:
            return False
        self._write(index)
        return True

    def done(self) -> None:
        """Take the note away."""
        self._folder.remove(self._name)

    def _write(self, at: int | None) -> None:
        note = {"session": self._session, "begun": self._begun, "at": at, "ended": self._ended}
        self._folder.write(self._name, json.dumps(note).encode())


def _note(folder: Folder, name: str) -> dict[str, Any]:
    content = content_of(folder, name)
    return json.loads(content) if content else {}
