"""Run the parts of the test suite and print one summary: `python -m tests [--bare] [PART ...]`.

Every part runs, also after one that failed. `--bare` runs a copy of the working tree on a PATH with nothing but Python,
make, git, sh and coreutils, without `build/`, data sets or caches, as on a new machine.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

REPOSITORY = Path(__file__).parent.parent
BIN = Path(sys.executable).parent

PYTEST = [sys.executable, "-m", "pytest", "-q", "--dist", "loadscope"]
PARTS = {
    "format": [str(BIN / "ruff"), "format", "--check", "."],
    "lint": [str(BIN / "ruff"), "check", "."],
    "types": [str(BIN / "mypy")],
    # A process for each core.
    "unit": [*PYTEST, "-n", "logical", "-m", "not slow and not gpu"],
    # Train, convert, compile or install.
    "slow": [*PYTEST, "-n", "2", "-m", "slow and not gpu"],
}

# The programs of GNU coreutils: https://www.gnu.org/software/coreutils/manual/
COREUTILS = """
[ arch b2sum base32 base64 basename basenc cat chcon chgrp chmod chown chroot cksum comm cp csplit cut date dd df dir
dircolors dirname du echo env expand expr factor false fmt fold groups head hostid id install join link ln logname ls
md5sum mkdir mkfifo mknod mktemp mv nice nl nohup nproc numfmt od paste pathchk pinky pr printenv printf ptx pwd
readlink realpath rm rmdir runcon seq sha1sum sha224sum sha256sum sha384sum sha512sum shred shuf sleep sort split stat
stdbuf stty sum sync tac tail tee test timeout touch tr true truncate tsort tty uname unexpand uniq unlink users vdir
wc who whoami yes
"""


@dataclass
class Summary:
    """Counts of all parts, and why tests were skipped."""

    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)

    def add_pytest(self, part: str, report: Path, code: int) -> None:
        """Add the figures of a JUnit report; a part without one has failed as a whole."""
        if not report.is_file():
            self.add_command(part, code or 1)
            return
        failures = len(self.failures)
        for case in ElementTree.parse(report).iter("testcase"):
            name = f"{case.get('classname')}::{case.get('name')}"
            skipped = case.find("skipped")
            if case.find("failure") is not None or case.find("error") is not None:
                self.counts["failed"] += 1
                self.failures.append(name)
            elif skipped is not None and skipped.get("type") != "pytest.xfail":
                self.counts["skipped"] += 1
                self.reasons[skipped.get("message", "")] += 1
            else:
                self.counts["passed"] += 1
        # Such as an internal error of pytest.
        if code and len(self.failures) == failures:
            self.add_command(part, code)

    def add_command(self, part: str, code: int) -> None:
        self.counts["failed" if code else "passed"] += 1
        if code:
            self.failures.append(f"{part} (exit code {code})")

    def lines(self) -> list[str]:
        """Return the summary; the last line is `total: N passed, N failed, N skipped`."""
        return [
            *(f"failed: {name}" for name in self.failures),
            *(f"skipped: {count} tests, {reason}" for reason, count in sorted(self.reasons.items())),
            f"total: {self.counts['passed']} passed, {self.counts['failed']} failed, {self.counts['skipped']} skipped",
        ]


def run(parts: list[str], folder: Path, environment: dict[str, str]) -> Summary:
    """Run parts in a folder and return their summary; format, lint and types run beside the first tests."""
    summary = Summary()
    checks = [part for part in parts if PARTS[part][: len(PYTEST)] != PYTEST]
    with tempfile.TemporaryDirectory() as reports, ThreadPoolExecutor() as pool:
        checked = pool.map(lambda part: _check(part, folder, environment), checks)
        for part in parts:
            if part not in checks:
                report = Path(reports) / f"{part}.xml"
                print(f"--- {part}", flush=True)
                start = time.monotonic()
                command = [*PARTS[part], f"--junit-xml={report}"]
                code = subprocess.run(command, cwd=folder, env=environment, check=False).returncode
                print(f"--- {part}: {time.monotonic() - start:.0f} s, exit code {code}", flush=True)
                summary.add_pytest(part, report, code)
        for part, code in zip(checks, checked, strict=True):
            summary.add_command(part, code)
    return summary


def _check(part: str, folder: Path, environment: dict[str, str]) -> int:
    """Run a part without tests, print its output as a whole, and return its exit code."""
    start = time.monotonic()
    done = subprocess.run(
        PARTS[part],
        cwd=folder,
        env=environment,
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    print(f"--- {part}: {time.monotonic() - start:.0f} s, exit code {done.returncode}\n{done.stdout}", flush=True)
    return done.returncode


def link_programs(folder: Path) -> None:
    """Make a folder for PATH with Python, make, git, sh and coreutils alone."""
    folder.mkdir()
    for program in ("git", "make", "sh", *COREUTILS.split()):
        if found := shutil.which(program):
            (folder / program).symlink_to(found)
    for program in ("python", "python3"):
        # A link to the environment's own Python would lose the environment.
        (folder / program).write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        (folder / program).chmod(0o755)


def run_bare(parts: list[str]) -> Summary:
    """Run parts in a copy of the working tree, with an environment that has next to nothing."""
    with tempfile.TemporaryDirectory(prefix="edgedigits-bare-") as name:
        programs, home, copy = Path(name) / "bin", Path(name) / "home", Path(name) / "edgedigits"
        home.mkdir()
        link_programs(programs)
        listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        files = subprocess.run(listing, cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout
        for file in filter(None, files.split("\0")):
            if (REPOSITORY / file).is_file():
                (copy / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(REPOSITORY / file, copy / file)
        packages = os.pathsep.join(map(str, (copy, copy / "exporters", copy / "runtime")))
        environment = {"PATH": str(programs), "HOME": str(home), "PYTHONPATH": packages, "MYPYPATH": packages}
        kept = ("CI", "LANG", "TF_CPP_MIN_LOG_LEVEL", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "EDGEDIGITS_NO_SKIP")
        environment |= {variable: os.environ[variable] for variable in kept if variable in os.environ}
        return run(parts, copy, environment)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all of them by default")
    parser.add_argument("--bare", action="store_true", help="as on a machine that has only Python, make, git and sh")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"expected parts {', '.join(PARTS)}, got {', '.join(sorted(unknown))}")
    parts = options.parts or list(PARTS)
    summary = run_bare(parts) if options.bare else run(parts, REPOSITORY, dict(os.environ))
    print("\n".join(summary.lines()))
    return 1 if summary.counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
