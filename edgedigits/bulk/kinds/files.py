"""Pictures in files of their own: on this machine as paths, elsewhere as bytes that are fetched ahead."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from edgedigits.bulk.addresses import fetched, is_remote
from edgedigits.bulk.kinds.unit import About, Unit
from edgedigits_runtime.errors import PictureError, PictureUnreadable
from edgedigits_runtime.sources.files import Source

FETCHES = 16
"""Files that are fetched at a time; a request to a store takes much longer than reading what it brings."""


def units(address: str, _about: About) -> Iterator[Unit]:
    """Yield one unit, of one file; files of a folder are gathered in edgedigits.bulk.plan."""
    yield Unit("files", pictures=1, paths=(address,))


def pictures(unit: Unit, about: About) -> Iterator[Source]:
    """Yield the pictures of a unit.

    Raises:
        SourceUnavailable: a remote address does not answer.
    """
    yield from contents((path, about.located(path)) for path in unit.paths)


def contents(files: Iterable[tuple[str, str | None]]) -> Iterator[Source]:
    """Yield a picture for each name and address, in their order; an error where there is no address.

    Raises:
        SourceUnavailable: a remote address does not answer.
    """
    with ThreadPoolExecutor(FETCHES) as pool:
        ahead: deque[Callable[[], Source]] = deque()
        try:
            for name, address in files:
                if address is None:
                    ahead.append(partial(Source, name, None, PictureUnreadable(f"{name} is empty")))
                elif is_remote(address):
                    ahead.append(pool.submit(_fetched, name, address).result)
                else:
                    ahead.append(partial(Source, name, Path(address)))
                if len(ahead) >= FETCHES:
                    yield ahead.popleft()()
            while ahead:
                yield ahead.popleft()()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _fetched(name: str, address: str) -> Source:
    try:
        return Source(name, fetched(address))
    except PictureError as error:
        return Source(name, None, error)
