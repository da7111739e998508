"""The dataset "served": four files of random bytes from a mirror on the loopback interface.

`python -m tests.torture.served` is the mirror; its address is in TORTURE_MIRROR.
"""

import gzip
import hashlib
import os
import sys
from functools import cache
from typing import Any

import numpy as np

from edgedigits.data.description import DataFile, Description

ENVIRONMENT = "TORTURE_MIRROR"
NAMES = tuple(f"part-{number}.gz" for number in range(4))
BYTES = 300_000


@cache
def body(name: str) -> bytes:
    """Return the file of that name, the same in every process."""
    return gzip.compress(np.random.default_rng(NAMES.index(name)).bytes(BYTES), 1, mtime=0)


def _file(name: str) -> DataFile:
    md5 = hashlib.md5(gzip.decompress(body(name)), usedforsecurity=False).hexdigest()
    return DataFile("served", name, md5, "content", (os.environ.get(ENVIRONMENT, "http://127.0.0.1:9/"),))


def __getattr__(name: str) -> Any:
    # Made on access, because the address is set after the import.
    if name != "DESCRIPTION":
        raise AttributeError(name)
    return Description(
        name="served", about="random bytes from the loopback interface", homepage="http://127.0.0.1/",
        train=0, test=None, shape=(1, 1, 1), labels=("0", "1"), reader="plain", licence="none",
        files=tuple(map(_file, NAMES)),
    )  # fmt: skip


if __name__ == "__main__":
    from tests.support.mirrors import Mirror

    with Mirror(lambda path: body(path.rpartition("/")[2]), pieces=(16_384, 0.002)) as mirror:
        print(mirror.url, flush=True)
        sys.stdin.read()
