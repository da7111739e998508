"""Templates with marks such as @NAME@, for C, HTML and Markdown files, where braces and dollars are plain text."""

import re
from collections.abc import Mapping

MARK = re.compile(r"@([A-Z][A-Z0-9_]*)@")


def fill(template: str, values: Mapping[str, object]) -> str:
    """Return a template with each mark replaced by the value of its name; marks within values stay.

    Raises:
        ValueError: a mark has no value, or a value has no mark.
    """
    marks = set(MARK.findall(template))
    if marks != values.keys():
        missing, unknown = sorted(marks - values.keys()), sorted(values.keys() - marks)
        raise ValueError(f"marks without a value: {missing}; values without a mark: {unknown}")
    return MARK.sub(lambda found: str(values[found[1]]), template)
