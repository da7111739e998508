"""Whether the network is right as often as it says."""

from edgedigits.reports.evaluation import Evaluation
from edgedigits.reports.facts import Facts
from edgedigits.reports.figures.reliability import reliability_figure
from edgedigits.reports.html import Picture, Section, charts, paragraph
from edgedigits.verification.reliability import BINS, group_by_confidence
from edgedigits_runtime.preprocessing import Probabilities

TITLE = "Calibration"


def calibration(facts: Facts) -> Section:
    """Return reliability diagrams of the test split, before and after the temperature."""
    network = facts.network
    if facts.test is None or network is None or network.contract is None:
        return Section("calibration", TITLE, missing=facts.why("network", "data", "decisions"))
    before = _picture(facts.test, facts.test.probabilities, "before", "the network's own probabilities")
    method = (
        f"Expected calibration error over {BINS} bins of equal width: the mean distance between confidence and"
        " accuracy, weighted by images (Guo et al. 2017, “On Calibration of Modern Neural Networks”, arXiv:1706.04599)."
    )
    if not network.finished:
        missing = ("confidence: its temperature is fitted when a training ends, and this one did not",)
        return Section("calibration", TITLE, (paragraph(method), charts([before])), (before,), missing)
    temperature = network.contract.temperature
    after = _picture(facts.test, facts.test.confidences, "after", f"after the temperature {temperature:g}")
    fitted = (
        f"The temperature, {temperature:g}, was fitted on the validation split; these are figures of the test split."
    )
    pictures = (before, after)
    return Section("calibration", TITLE, (paragraph(method), paragraph(fitted), charts(pictures)), pictures)


def _picture(test: Evaluation, probabilities: Probabilities, when: str, what: str) -> Picture:
    found = group_by_confidence(probabilities, test.labels)
    said = f"Expected calibration error {found.expected_error:.2%}: {what}."
    sure = found.counts[-1] / found.counts.sum()
    return Picture(
        f"reliability-{when}", reliability_figure(found),
        f"Reliability diagram, share right by confidence in {BINS} bins; {sure:.1%} of the images are in the"
        f" topmost. {said}",
        said,
    )  # fmt: skip
