"""What the light install downloads, by platform and Python: `python -m benchmarks.light_install`.

pip resolves and downloads the wheels that a board would get, without a board; nothing is built or installed. The
sizes go to benchmarks/results/light_install.json.
"""

import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from edgedigits_runtime.whole_files import write_whole

REPOSITORY = Path(__file__).parent.parent
RESULTS = REPOSITORY / "benchmarks" / "results" / "light_install.json"

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
GLIBC = ("2_28", "2_27", "2_17")
PLATFORMS = {
    machine: [*(f"manylinux_{version}_{machine}" for version in GLIBC), f"manylinux2014_{machine}"]
    for machine in ("x86_64", "aarch64")
}
MOST_MEGABYTES = 60


def download(machine: str, python: str, folder: Path) -> dict[str, int]:
    """Download the wheels of the light install and return their sizes in bytes, by file name.

    Raises:
        subprocess.CalledProcessError: pip finds no set of wheels for them.
    """
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    platforms = [option for platform in PLATFORMS[machine] for option in ("--platform", platform)]
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:", "--python-version", python,
         *platforms, "--dest", str(folder), *project["dependencies"]],
        check=True,
    )  # fmt: skip
    return {wheel.name: wheel.stat().st_size for wheel in sorted(folder.iterdir())}


def main() -> None:
    """Download for every platform and Python, print the sums, and exit with 1 where one is too large."""
    found: dict[str, dict[str, Any]] = {}
    for machine in PLATFORMS:
        for python in PYTHONS:
            with tempfile.TemporaryDirectory() as place:
                wheels = download(machine, python, Path(place))
            megabytes = round(sum(wheels.values()) / 1e6, 1)
            found[f"{machine}, Python {python}"] = {"megabytes": megabytes, "wheels": wheels}
            print(f"{machine}, Python {python}: {megabytes} MB in {len(wheels)} wheels", flush=True)
    write_whole(RESULTS, json.dumps(found, indent=1) + "\n")
    if any(row["megabytes"] > MOST_MEGABYTES for row in found.values()):
        raise SystemExit(f"more than {MOST_MEGABYTES} MB")


if __name__ == "__main__":
    main()
