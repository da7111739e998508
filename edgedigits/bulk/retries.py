"""Retries of units, counted so that a picture that kills its readers is not retried forever.

A killed reader leaves a note in the output. After CAREFUL of them, the pictures of the unit are read one by one, with a
note before each. A picture that killed DEADLY readers becomes an error.
"""

import json
from collections import Counter
from typing import Any

from edgedigits.bulk.folders import Folder, content_of
from edgedigits_runtime.errors import EdgedigitsError

FOLDER = "_attempts"

CAREFUL, DEADLY, HOPELESS = 2, 3, 20
"""Killed readers: before pictures are read one by one; at one picture; in a unit without finding the picture."""


class Attempt:
    """One reading of a unit."""

    def __init__(self, folder: Folder, number: int, session: str) -> None:
        """Write a note.

        Args:
            folder: the output.
            number: of the unit.
            session: a name of this run of the driver. The readers of a killed driver do not count.

        Raises:
            EdgedigitsError: the unit was tried too often.
        """
        self._folder, self._name = folder, f"{FOLDER}/{number:06}.json"
        content = content_of(folder, self._name)
        before: dict[str, Any] = json.loads(content) if content else {}
        if before.get("session") != session:
            before = {}
        self._session = session
        self._killed: Counter[str] = Counter(before.get("ended", {}))
        self._begun = before.get("begun", 0) + 1
        if before.get("at") is not None:
            self._killed[str(before["at"])] += 1
        if self._begun > HOPELESS + DEADLY * len(self._killed):
            raise EdgedigitsError(
                f"gave up part {number}: {self._begun - 1} processes that read it were killed, probably because memory"
                " ran out; use fewer --workers"
            )
        self.careful = self._begun > CAREFUL
        self._write(None)

    def may_read(self, index: int) -> bool:
        """Return whether to read the unit's picture of this index; write a note if careful."""
        if not self.careful:
            return True
        if self._killed[str(index)] >= DEADLY:
            return False
        self._write(index)
        return True

    def done(self) -> None:
        """Remove the note."""
        self._folder.remove(self._name)

    def _write(self, at: int | None) -> None:
        note = {"session": self._session, "begun": self._begun, "at": at, "ended": self._killed}
        self._folder.write(self._name, json.dumps(note).encode())
