"""The files beside the network: README, build files and the self-test, from project/ with their @MARKS@ filled in."""

from collections.abc import Mapping
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from edgedigits_exporters.microcontroller.planning.lowering import Program
from edgedigits_exporters.microcontroller.writing import literals
from edgedigits_exporters.microcontroller.writing.header import told
from edgedigits_runtime.contract import Contract
from edgedigits_runtime.templates import fill

TEMPLATES = files("edgedigits_exporters.microcontroller.writing").joinpath("project")

TRY = {
    "plain": "`make && ./selftest` shows it on yours.",
    "cmake": "`cmake -B build && cmake --build build && ctest --test-dir build` shows it on yours.",
    "arduino": "The example *selftest* shows it on your board: put this folder into Arduino's `libraries`.",
}
"""What a README tells to try, by project."""


def template(name: str) -> str:
    """Return a file of project/."""
    return TEMPLATES.joinpath(name).read_text()


def filled(name: str, marks: Mapping[str, str]) -> str:
    """Return a file of project/ with each @MARK@ replaced."""
    text = template(name)
    return fill(text, {mark: meaning for mark, meaning in marks.items() if f"@{mark}@" in text})


def marks_of(
    program: Program, contract: Contract, source: str, project: str, layout: Mapping[str, str]
) -> dict[str, str]:
    """Return what the marks stand for.

    Args:
        program, contract: the model.
        source: the text of digits.c.
        project: a name of projects.PROJECTS.
        layout: where that project has each file.
    """
    height, width, channels = program.graph.input.shape
    accuracy = contract.accuracy
    measured = (
        f"; the int8 model reads {accuracy['top1']:.2%} of {accuracy['images']:,} images right" if accuracy else ""
    )
    folder = str(Path(layout["digits.h"]).parent)
    return {
        "NAME": contract.name,
        "TITLE": f"edgedigits-{contract.name}",
        "VERSION": version("edgedigits"),
        "SENTENCE": f"Reads handwritten digits: {contract.name}, int8",
        "SUMMARY": f"Takes {height}x{width}x{channels} pixels, answers one of {len(contract.labels)} labels.",
        "MATH": " and `math.h`" if contract.normalisation == "column-l2" else "",
        "FLASH": f"{literals.array_bytes(source):,}",
        "SCRATCH": f"{program.plan.size:,}",
        "WIDE": f"{program.wide_plan.size:,}",
        "PIXELS": f"{height * width * channels:,}",
        "KERNELS": "XNNPACK, its usual path on x86-64" if contract.kernels == "xnnpack" else "its reference kernels",
        "VERIFIED": f"`edgedigits verify` compares them{measured}",
        "TRY": TRY[project],
        "CONTRACT": "\n".join(f"- {line}" for line in told(program, contract)),
        "SOURCE": layout["digits.c"],
        "INCLUDE": "" if folder == "." else f"/{folder}",
        "SELFTEST": layout.get("digits_selftest.c", ""),
    }
