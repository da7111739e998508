"""Measure the download of the light install by platform and Python: `python -m benchmarks.light_install`.

pip downloads the wheels that a board would get; nothing is built or installed. The sizes go to
benchmarks/results/light_install.json.
"""

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from benchmarks.publishing import REPOSITORY, RESULTS, write_results

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
GLIBC = ("2_28", "2_27", "2_17")
PLATFORMS = {
    machine: [*(f"manylinux_{version}_{machine}" for version in GLIBC), f"manylinux2014_{machine}"]
    for machine in ("x86_64", "aarch64")
}
MOST_MEGABYTES = 60


def download(machine: str, python: str, folder: Path) -> dict[str, int]:
    """Download the wheels of the light install and return their bytes by file name."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    platforms = [option for platform in PLATFORMS[machine] for option in ("--platform", platform)]
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:", "--python-version", python,
         *platforms, "--dest", str(folder), *project["dependencies"]],
        check=True,
    )  # fmt: skip
    return {wheel.name: wheel.stat().st_size for wheel in sorted(folder.iterdir())}


def main() -> None:
    """Download for every platform and Python, print the sums, and fail if one is too large."""
    found: dict[str, dict[str, Any]] = {}
    for machine in PLATFORMS:
        for python in PYTHONS:
            with tempfile.TemporaryDirectory() as place:
                wheels = download(machine, python, Path(place))
            megabytes = round(sum(wheels.values()) / 1e6, 1)
            found[f"{machine}, Python {python}"] = {"megabytes": megabytes, "wheels": wheels}
            print(f"{machine}, Python {python}: {megabytes} MB in {len(wheels)} wheels", flush=True)
    write_results(RESULTS / "light_install.json", found)
    if any(row["megabytes"] > MOST_MEGABYTES for row in found.values()):
        raise SystemExit(f"more than {MOST_MEGABYTES} MB")


if __name__ == "__main__":
    main()
