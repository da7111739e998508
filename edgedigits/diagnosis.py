"""The checks of `doctor`: versions in the tested ranges, working engines, models and datasets."""

import platform
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import edgedigits_runtime
from edgedigits.model_files import DEFAULT_MODEL, shipped_models
from edgedigits_runtime.engines import probe_engines
from edgedigits_runtime.errors import EngineDied
from edgedigits_runtime.machine import installed_version


@dataclass(frozen=True)
class Finding:
    """One line of the diagnosis: a version or a problem, and the command that fixes the problem."""

    subject: str
    state: str
    fine: bool = True
    mend: str | None = None


def diagnose(data_dir: Path | None = None) -> list[Finding]:
    """Check Python, libraries, engines, models and data, without changes or downloads."""
    return [_python(), *_libraries(), *_engines(), _models(), _first_picture(), *_datasets(data_dir)]


def _python() -> Finding:
    tested = (3, 11) <= sys.version_info[:2] <= (3, 14)
    state = f"{platform.python_version()} on {platform.machine()}"
    mend = None if tested else "use Python 3.11 to 3.14 (training: 3.11 to 3.13)"
    return Finding("python", state, tested, mend)


def _libraries() -> list[Finding]:
    """Compare the installed versions with the requirements of edgedigits and its extras."""
    from packaging.requirements import Requirement

    findings: dict[str, Finding] = {}
    for requirement in map(Requirement, metadata.requires("edgedigits") or []):
        needed = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        installed = installed_version(requirement.name)
        if installed is None:
            # A package of an extra is reported when a command needs it.
            if needed:
                mend = f"pip install '{requirement.name}{requirement.specifier}'"
                findings[requirement.name] = Finding(requirement.name, "not installed", False, mend)
            continue
        if requirement.specifier.contains(installed, prereleases=True):
            findings.setdefault(requirement.name, Finding(requirement.name, installed))
        else:
            state = f"{installed}, outside the tested {requirement.specifier}"
            mend = f"pip install '{requirement.name}{requirement.specifier}'"
            findings[requirement.name] = Finding(requirement.name, state, False, mend)
    return [finding for name, finding in findings.items() if name != "edgedigits"]


def _engines() -> list[Finding]:
    findings = []
    for name, report in probe_engines().items():
        state = f"{report.version}: {', '.join(report.providers)}" if report.version else "not installed"
        findings.append(Finding(f"engine {name}", state, report.mend is None, report.mend))
    if keras := installed_version("keras"):
        findings.append(Finding("training", f"Keras {keras}"))
    else:
        mend = "pip install 'edgedigits[train-cpu]'"
        findings.append(Finding("training", "Keras is not installed", False, mend))
    return findings


def _models() -> Finding:
    names = [entry.name for entry in shipped_models() if entry.contract]
    if DEFAULT_MODEL in names:
        return Finding("models", ", ".join(dict.fromkeys(names)))
    return Finding(
        "models", "no shipped model", False, "in a clone of edgedigits: pip install --force-reinstall --no-deps ."
    )


def _first_picture() -> Finding:
    """Say what a first picture costs here, the most expensive part first."""
    from edgedigits.machine.first_picture import measure_first_picture

    try:
        found = measure_first_picture(1)
    except EngineDied as error:
        return Finding("first picture", str(error), False)
    parts = sorted(found.parts.items(), key=lambda part: -part[1])
    state = f"{found.wall:,.0f} ms, of CPU: " + ", ".join(f"{name} {cpu:,.0f}" for name, cpu in parts)
    if found.compiled:
        return Finding("first picture", state)
    folders = [str(Path(__file__).parent), str(Path(edgedigits_runtime.__file__ or "").parent)]
    mend = f"{Path(sys.executable).name} -m compileall -q {' '.join(folders)}"
    return Finding("first picture", f"{state}; edgedigits is compiled at each start", False, mend)


def _datasets(data_dir: Path | None) -> list[Finding]:
    from edgedigits.data import DATASETS, describe
    from edgedigits.data.storage import summary

    findings = []
    for name in DATASETS:
        found = summary(describe(name), data_dir)
        where = ", ".join(found["folders"]) or found["state"]
        here = found["state"] in ("found", "bundled")
        mend = None if here else f"edgedigits data download {name}"
        findings.append(Finding(f"data {name}", where, here, mend))
    return findings
