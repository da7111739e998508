"""Read in bulk with a reader that pictures called deadly kill: python deadly_reading.py SOURCE OUT [ADDRESS]."""

import json
import os
import signal
import sys
from typing import Any

from edgedigits.bulk.bulk_options import BulkOptions
from edgedigits.bulk.bulk_reading import read_bulk
from edgedigits.predicting.pictures import ReaderOptions
from edgedigits_runtime.reading.reader import Reader
from tests.support.bulk_sources import RecordedProgress


class DeadlyOptions(ReaderOptions):
    """Opens a reader that a picture kills, as if it ran out of memory."""

    def open(self) -> Reader:
        reader = super().open()
        read_many = reader.read_many

        def read(sources: Any, *, names: Any = None) -> Any:
            called = list(names)
            if any("deadly" in name for name in called):
                os.kill(os.getpid(), signal.SIGKILL)
            return read_many(sources, names=called)

        reader.read_many = read  # type: ignore[method-assign]
        return reader


if __name__ == "__main__":
    source, out, *address = sys.argv[1:]
    options = BulkOptions((source,), out, DeadlyOptions(), address[0] if address else None)
    print(json.dumps(read_bulk(options, RecordedProgress()).to_dict()))
