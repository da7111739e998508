"""Downloads from faulty mirrors at random: the file arrives intact, or the error names each mirror's fault."""

import contextlib
import gzip
import hashlib
import random
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from edgedigits.data.description import DataFile
from edgedigits.data.download import fetch
from edgedigits_runtime.errors import DataError, EdgedigitsError
from tests.support.mirrors import MAX_STALL, Mirror

MIRRORS = 3
TIMEOUT = 0.25
CONTENT = np.random.default_rng(5).bytes(60_000)
SERVED = gzip.compress(CONTENT, 1, mtime=0)

REDIRECT = "HTTP/1.1 302 Found\r\nLocation: URLagain\r\nContent-Length: 0\r\n\r\n"
BEHAVIOURS: dict[str, dict[str, Any]] = {
    "good": {},
    "good without ranges": {"ranges": False},
    "stalls before answering": {"answer": "", "stalls": True},
    "stalls in the headers": {"answer": "HTTP/1.1 200 OK\r\nContent-", "stalls": True},
    "stalls in the body": {"share": 0.5, "stalls": True},
    "sends half": {"share": 0.5},
    "announces more": {"announces": lambda count: count + 50},
    "announces less": {"announces": lambda count: count // 2},
    "announces nonsense": {"announces": lambda _: "-7"},
    "other bytes": {"body": SERVED[::-1]},
    "a page in place of it": {"body": b"<html>Please log in</html>"},
    "status 404": {"status": 404},
    "status 503": {"status": 503},
    "closes at once": {"answer": ""},
    "resets": {"answer": "", "resets": True},
    "no HTTP": {"answer": "220 ftp ready\r\n"},
    "turns in circles": {"answer": REDIRECT},
    "wrong range": {"shift": 1},
    "drips": {"pieces": (1, 0.01)},
    "endless headers": {"answer": "HTTP/1.1 200 OK\r\n" + "X-More: yes\r\n" * 2000},
}
"""Options of a mirror, by the name in the report."""


def attack_downloads(downloads: int, seed: int) -> dict[str, Any]:
    """Download a file again and again, each time from three mirrors with random behaviours."""
    rng = random.Random(seed)
    behaviours: Counter[str] = Counter()
    found: dict[str, Any] = {"runs": downloads, "completed": 0, "refused": 0, "broken": []}
    md5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
    with tempfile.TemporaryDirectory(prefix="edgedigits-mirrors-") as folder:
        target = Path(folder) / "data" / "file.gz"
        for number in range(downloads):
            chosen = rng.sample(list(BEHAVIOURS), MIRRORS)
            behaviours.update(chosen)
            with contextlib.ExitStack() as stack:
                options = [{"body": SERVED, **BEHAVIOURS[name]} for name in chosen]
                urls = tuple(stack.enter_context(Mirror(**each)).url for each in options)
                if why := _download(DataFile("torture", "file.gz", md5, "content", urls), target, found):
                    found["broken"].append(f"download {number} from {', '.join(chosen)}: {why}")
    return {**found, "behaviours": dict(sorted(behaviours.items()))}


def _download(file: DataFile, target: Path, found: dict[str, Any]) -> str:
    """Download and count one file, and return which promise was broken; usually none."""
    start = time.monotonic()
    try:
        fetch(file, target, timeout=TIMEOUT)
    except DataError as error:
        found["refused"] += 1
        why = "the file exists after an error" if target.exists() else ""
        if str(error).count("http://127.0.0.1") < MIRRORS or not str(error).isprintable():
            why = f"the error does not name each mirror in one line: {error}"
    except EdgedigitsError as error:
        why = f"{type(error).__name__}: {error}"
    # Any other error is a broken promise; the attack continues.
    except Exception as error:  # noqa: BLE001
        why = f"raised {type(error).__name__}: {error}"
    else:
        found["completed"] += 1
        why = "" if file.read(target) == CONTENT else "wrong bytes were accepted"
        target.unlink()
    # All timeouts together are a tenth of MAX_STALL.
    seconds = time.monotonic() - start
    return why or (f"took {seconds:.0f} s" if seconds > MAX_STALL / 2 else "")
