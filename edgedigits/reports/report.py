"""`report.html` of a run: one self-contained page, and its pictures as PNG and SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgedigits.plotting.style import to_png
from edgedigits.reports.facts import gather
from edgedigits.reports.html import Section, page
from edgedigits.reports.sections.calibration import calibration
from edgedigits.reports.sections.curves import curves
from edgedigits.reports.sections.dataset import dataset
from edgedigits.reports.sections.decisions import decisions
from edgedigits.reports.sections.exports import exports
from edgedigits.reports.sections.headline import headline
from edgedigits.reports.sections.network import network
from edgedigits.reports.sections.readings import Row, examples, latency
from edgedigits.reports.sections.rotation import rotation
from edgedigits.training.data_of_model import DataOptions
from edgedigits.training.run_folder import RunFolder
from edgedigits_exporters.keras_backend import load_keras
from edgedigits_runtime.reading.results import Reading
from edgedigits_runtime.whole_files import write_whole

SECTIONS = (headline, dataset, curves, decisions, network, calibration, rotation, exports)
PAGE = "report.html"
FIGURES = "figures"


@dataclass(frozen=True, eq=False)
class Report:
    """A report before it is written: the HTML page and its sections in order."""

    run: RunFolder
    page: str
    sections: tuple[Section, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """A line for each missing fact, with the reason."""
        return tuple(dict.fromkeys(line for section in self.sections for line in section.missing))

    def write(self) -> Path:
        """Write the figures and then the page into the run folder, and return the page's path."""
        folder = self.run.path / FIGURES
        for picture in (picture for section in self.sections for picture in section.pictures):
            write_whole(folder / f"{picture.name}.svg", picture.svg)
            write_whole(folder / f"{picture.name}.png", to_png(picture.figure))
        return write_whole(self.run.path / PAGE, self.page)


def make_report(
    run: RunFolder,
    *,
    data: DataOptions = DataOptions(),
    readings: Sequence[tuple[Reading, str]] = (),
    rows: Sequence[Row] = (),
) -> Report:
    """Make the report of a run.

    Args:
        run: finished or not; the page names what is missing.
        data: where the dataset is, if the run's place is wrong.
        readings: of example pictures, each with the true text.
        rows: of a table of files with their latency.

    Raises:
        RunError: the folder is not a run.
        MissingExtra: the [train-cpu] extra is not installed.
    """
    load_keras()
    facts = gather(run, data)
    sections = [make(facts) for make in SECTIONS]
    if rows:
        sections.append(latency(rows))
    if readings:
        sections.append(examples(readings))
    config = facts.config
    augmented = ", with augmentation" if config.augmentation else ""
    subtitle = f"{config.recipe} on {Path(config.data).name}, {len(facts.history)} of {config.epochs} epochs{augmented}"
    return Report(run, page(run.path.resolve().name, subtitle, sections), tuple(sections))
