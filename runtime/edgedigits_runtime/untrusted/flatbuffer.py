"""Read an untrusted FlatBuffer: every offset, length and vtable is checked before it is followed.

The format: https://flatbuffers.dev/internals, and the checks of its verifier (include/flatbuffers/verifier.h).
A table becomes a dictionary of its fields by name; fields that the file leaves out are left out.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

SIZES = {"b": 1, "B": 1, "?": 1, "H": 2, "i": 4, "I": 4, "f": 4, "q": 8, "Q": 8}
"""Bytes of a scalar by its letter in the struct module; all are little-endian."""

MOST_TABLES = 200_000
"""A vector may refer to one table a million times, and following all references would take too long."""

UNKNOWN_FIELD = "unknown field"
"""The key of a table's first slot that its layout lacks; a later schema may have defined it."""

_INT32, _UINT32 = struct.Struct("<i"), struct.Struct("<I")


class DamagedFlatbuffer(ValueError):
    """An offset, a length or a vtable that points out of the file or contradicts another."""


@dataclass(frozen=True, eq=False)
class Scalar:
    """A number in the table itself."""

    letter: str


@dataclass(frozen=True, eq=False)
class String:
    """UTF-8 that ends in a zero, which is not part of it; engines pass names to Python as str."""


@dataclass(frozen=True, eq=False)
class Bytes:
    """A vector of single bytes, as a memoryview, so that large constants are not copied."""


@dataclass(frozen=True, eq=False)
class Numbers:
    """A vector of scalars, as a tuple."""

    letter: str


@dataclass(frozen=True, eq=False)
class Tables:
    """A vector of tables, as a list."""

    layout: "Layout"


@dataclass(frozen=True, eq=False)
class Choice:
    """A union; `of` names the field with its number. A number without a layout here becomes None."""

    of: str
    layouts: "Mapping[int, Layout]"


@dataclass(frozen=True, eq=False)
class Layout:
    """A table: its fields, each with its slot in the vtable, in rising order of slots."""

    fields: tuple[tuple[int, str, "Kind"], ...]


Kind = Scalar | String | Bytes | Numbers | Tables | Choice | Layout

Table = dict[str, Any]


def read_flatbuffer(content: bytes, identifier: bytes, layout: Layout) -> Table:
    """Return the root table of a FlatBuffer; bytes behind it are ignored.

    Raises:
        DamagedFlatbuffer: another identifier, or a wrong offset or length anywhere.
    """
    if len(content) < 12 or content[4:8] != identifier:
        raise DamagedFlatbuffer(f"it lacks the identifier {identifier.decode()}")
    reader = _Reader(content)
    return reader.table(reader.target(0), layout)


@dataclass(frozen=True)
class _Vtable:
    """The length of the tables that share a vtable, and the offset of each field that they have."""

    length: int
    fields: list[tuple[int, str, Kind]]
    unknown_slot: int | None


class _Reader:
    def __init__(self, content: bytes) -> None:
        self.content = content
        self.size = len(content)
        self.tables = 0
        self.vtables: dict[tuple[int, Layout], _Vtable] = {}

    def target(self, position: int) -> int:
        """Follow the offset at a position that lies within the file."""
        offset: int = _UINT32.unpack_from(self.content, position)[0]
        found = position + offset
        if offset == 0 or found % 4 or found + 4 > self.size:
            raise DamagedFlatbuffer(f"the offset at byte {position} points to byte {found} of {self.size}")
        return found

    def table(self, position: int, layout: Layout) -> Table:
        self.tables += 1
        if self.tables > MOST_TABLES:
            raise DamagedFlatbuffer(f"it names more than {MOST_TABLES:,} tables")
        vtable = position - _INT32.unpack_from(self.content, position)[0]
        known = self.vtables.get((vtable, layout)) or self._vtable(vtable, layout)
        if position + known.length > self.size:
            raise DamagedFlatbuffer(f"the table at byte {position} is longer than the file")
        found: Table = {} if known.unknown_slot is None else {UNKNOWN_FIELD: known.unknown_slot}
        for offset, name, kind in known.fields:
            found[name] = self._field(position + offset, kind, found)
        return found

    def _vtable(self, vtable: int, layout: Layout) -> "_Vtable":
        if vtable % 2 or not 0 <= vtable <= self.size - 4:
            raise DamagedFlatbuffer(f"a vtable is at byte {vtable} of {self.size}")
        size, length = struct.unpack_from("<HH", self.content, vtable)
        if size < 4 or size % 2 or vtable + size > self.size or length < 4:
            raise DamagedFlatbuffer(f"the vtable at byte {vtable} has {size} bytes for tables of {length}")
        offsets = struct.unpack_from(f"<{size // 2 - 2}H", self.content, vtable + 4)
        fields = []
        for slot, name, kind in layout.fields:
            if slot < len(offsets) and (offset := offsets[slot]):
                width = SIZES[kind.letter] if isinstance(kind, Scalar) else 4
                if offset < 4 or offset + width > length:
                    raise DamagedFlatbuffer(f"the vtable at byte {vtable} puts {name} outside of the table")
                fields.append((offset, name, kind))
        known = {slot for slot, _, _ in layout.fields}
        unknown = next((slot for slot, offset in enumerate(offsets) if offset and slot not in known), None)
        self.vtables[vtable, layout] = _Vtable(length, fields, unknown)
        return self.vtables[vtable, layout]

    def _field(self, position: int, kind: Kind, before: Table) -> Any:
        if isinstance(kind, Scalar):
            self._check_alignment(position, SIZES[kind.letter])
            return struct.unpack_from(f"<{kind.letter}", self.content, position)[0]
        self._check_alignment(position, 4)
        target = self.target(position)
        if isinstance(kind, Layout):
            return self.table(target, kind)
        if isinstance(kind, Choice):
            chosen = kind.layouts.get(before.get(kind.of, 0))
            return None if chosen is None else self.table(target, chosen)
        if isinstance(kind, Tables):
            return [self.table(self.target(place), kind.layout) for place in self._places(target)]
        letter = kind.letter if isinstance(kind, Numbers) else "B"
        start, count = self._vector(target, SIZES[letter])
        if isinstance(kind, Numbers):
            return struct.unpack_from(f"<{count}{letter}", self.content, start)
        if isinstance(kind, String):
            return self._text(start, count)
        return memoryview(self.content)[start : start + count]

    def _text(self, start: int, count: int) -> str:
        if self.content[start + count : start + count + 1] != b"\0":
            raise DamagedFlatbuffer(f"the text at byte {start} does not end in a zero")
        try:
            return self.content[start : start + count].decode()
        except UnicodeDecodeError as error:
            raise DamagedFlatbuffer(f"the text at byte {start} is not UTF-8") from error

    def _places(self, target: int) -> Iterator[int]:
        start, count = self._vector(target, 4)
        if count > MOST_TABLES:
            raise DamagedFlatbuffer(f"it names more than {MOST_TABLES:,} tables")
        yield from range(start, start + 4 * count, 4)

    def _vector(self, target: int, width: int) -> tuple[int, int]:
        """Return where the elements of a vector start, and how many there are."""
        count: int = _UINT32.unpack_from(self.content, target)[0]
        start = target + 4
        if start + count * width > self.size:
            raise DamagedFlatbuffer(f"the vector at byte {target} has {count} elements, which end after the file")
        if count:
            self._check_alignment(start, width)
        return start, count

    def _check_alignment(self, position: int, width: int) -> None:
        if position % width:
            raise DamagedFlatbuffer(f"{width} bytes at byte {position} are not aligned")


def default(kind: Kind) -> Any:
    """Return the value of a field that a file leaves out, if the schema names no other."""
    return () if isinstance(kind, Numbers) else b"" if isinstance(kind, Bytes) else 0
