"""What an attack found, written with the machine: benchmarks/results/reliability/<kind>.json."""

import json
import time
from pathlib import Path
from typing import Any

from edgedigits_runtime.machine import describe_machine
from edgedigits_runtime.whole_files import write_whole

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results" / "reliability"


def read_result(path: Path) -> dict[str, Any]:
    """Return what was found before; nothing where no attack was made yet."""
    return json.loads(path.read_text()) if path.is_file() else {}


def record(path: Path, part: str, found: Any) -> None:
    """Write what a part of an attack found beside what the other parts did, with the machine and the day."""
    known = read_result(path)
    parts = {**known.get("parts", {}), part: {"day": time.strftime("%Y-%m-%d"), **found}}
    write_whole(path, json.dumps({"machine": describe_machine(), "parts": parts}, indent=1) + "\n")
