"""Damage to files, drawn by Hypothesis."""

from hypothesis import strategies as st


def damaged(content: bytes, data: st.DataObject) -> bytes:
    """Return a file with one to eight changed bytes."""
    changed = bytearray(content)
    places = st.integers(0, len(content) - 1)
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=8)):
        changed[place] = value
    return bytes(changed)


def with_changed_word(content: bytes, data: st.DataObject) -> bytes:
    """Return a file with a changed 32-bit word, such as an offset or a length."""
    place = 4 * data.draw(st.integers(0, len(content) // 4 - 1))
    value = data.draw(st.sampled_from([0, 1, 4, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 60000]))
    return content[:place] + value.to_bytes(4, "little") + content[place + 4 :]
