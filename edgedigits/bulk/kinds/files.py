"""Pictures in single files: local ones as paths, remote ones as bytes that are fetched ahead."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from edgedigits.bulk.addresses import fetch, is_remote
from edgedigits.bulk.units import SourceOptions, Unit
from edgedigits_runtime.errors import PictureError, PictureUnreadable
from edgedigits_runtime.sources.files import Source

FETCHES = 16
"""Concurrent requests. A request takes much longer than reading its picture."""


def units(address: str, _options: SourceOptions) -> Iterator[Unit]:
    """Yield a unit of one file; edgedigits.bulk.plan gathers the files of folders itself."""
    yield Unit("files", pictures=1, paths=(address,))


def pictures(unit: Unit, options: SourceOptions) -> Iterator[Source]:
    """Yield the pictures of a unit."""
    yield from fetch_all((path, options.resolve(path)) for path in unit.paths)


def fetch_all(files: Iterable[tuple[str, str | None]]) -> Iterator[Source]:
    """Yield a picture for each name and address, in order; an error if the address is None."""
    with ThreadPoolExecutor(FETCHES) as pool:
        ahead: deque[Callable[[], Source]] = deque()
        try:
            for name, address in files:
                if address is None:
                    ahead.append(partial(Source, name, None, PictureUnreadable(f"{name} is empty")))
                elif is_remote(address):
                    ahead.append(pool.submit(_fetch, name, address).result)
                else:
                    ahead.append(partial(Source, name, Path(address)))
                if len(ahead) >= FETCHES:
                    yield ahead.popleft()()
            while ahead:
                yield ahead.popleft()()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _fetch(name: str, address: str) -> Source:
    try:
        return Source(name, fetch(address))
    except PictureError as error:
        return Source(name, None, error)
