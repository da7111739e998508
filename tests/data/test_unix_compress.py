""".Z files, compressed here and read by edgedigits and by gzip."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedigits.data.description import DataFile
from edgedigits.data.unix_compress import uncompress
from edgedigits_runtime.errors import ChecksumMismatch
from tests.support.needs import needs

LIMIT = 10**7


def compress(content: bytes, widest: int = 16, clear_at: int | None = None) -> bytes:
    """Compress as compress(1) does; `clear_at`: number of the code before which the table is cleared once."""
    groups: list[tuple[int, list[int]]] = [(9, [])]
    table = {bytes([value]): value for value in range(256)}
    free, width, prefix, count = 257, 9, b"", 0

    def put(code: int) -> None:
        groups[-1][1].append(code)

    for value in content:
        longer = prefix + bytes([value])
        if longer in table:
            prefix = longer
            continue
        put(table[prefix])
        count += 1
        if free > (1 << width) - 1 and width < widest:
            width += 1
            groups.append((width, []))
        if free < 1 << widest:
            table[longer] = free
            free += 1
        if count == clear_at:
            put(256)
            table = {bytes([value]): value for value in range(256)}
            free, width = 257, 9
            groups.append((width, []))
        prefix = bytes([value])
    if prefix:
        put(table[prefix])
    out = bytearray(b"\x1f\x9d" + bytes([0x80 | widest]))
    for number, (bits, codes) in enumerate(groups):
        packed = sum(code << (bits * k) for k, code in enumerate(codes))
        whole = -(-len(codes) // 8) * bits if number < len(groups) - 1 else -(-len(codes) * bits // 8)
        out += packed.to_bytes(whole, "little")
    return bytes(out)


texts = st.one_of(
    st.binary(max_size=3000),
    st.builds(lambda one, times: one * times, st.binary(min_size=1, max_size=9), st.integers(1, 4000)),
)


@given(texts, st.sampled_from([9, 10, 12, 16]), st.one_of(st.none(), st.integers(1, 600)))
def test_what_was_compressed_is_read_back(content, widest, clear_at):
    assert uncompress(compress(content, widest, clear_at), LIMIT) == content


@needs("gzip")
def test_gzip_reads_the_same():
    content = b"".join(bytes([k % 7, k % 11, k * k % 251]) for k in range(30_000))
    for raw in (compress(content), compress(content, 12, 900), compress(b"")):
        theirs = subprocess.run(["gzip", "-dc"], input=raw, stdout=subprocess.PIPE, check=True).stdout
        assert uncompress(raw, LIMIT) == theirs


@given(st.binary(max_size=300), st.integers(0, 31))
def test_damaged_files_raise_one_error_or_are_read(tail, widest):
    raw = b"\x1f\x9d" + bytes([0x80 | widest]) + tail
    try:
        assert isinstance(uncompress(raw, LIMIT), bytes)
    except ValueError:
        file = DataFile("small", "a.Z", "0" * 64, "content", ())
        with pytest.raises(ChecksumMismatch, match="damaged"):
            file.content(raw)


def test_a_file_that_grows_is_cut_short():
    assert len(uncompress(compress(bytes(100_000)), 5_000)) < 10_000
