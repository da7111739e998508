"""The page and its sections, made of facts by hand."""

import dataclasses
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from edgedigits.data.dataset import Samples
from edgedigits.data.splits import Splits
from edgedigits.recipes.gates import Gate
from edgedigits.reports import html
from edgedigits.reports.evaluation import Evaluation, RotationCurve
from edgedigits.reports.facts import Facts
from edgedigits.reports.sections.calibration import calibration
from edgedigits.reports.sections.curves import curves
from edgedigits.reports.sections.dataset import dataset
from edgedigits.reports.sections.decisions import confusion_figure, decisions
from edgedigits.reports.sections.exports import exports, read_verification
from edgedigits.reports.sections.headline import headline
from edgedigits.reports.sections.network import network
from edgedigits.reports.sections.readings import Row, examples, latency
from edgedigits.reports.sections.rotation import rotation
from edgedigits.training.run_folder import RunConfig, RunFolder
from edgedigits.verification.comparison import compare
from edgedigits.verification.reference import file_digest
from edgedigits.verification.verify import Verification, write_report
from edgedigits_runtime.errors import RunError
from edgedigits_runtime.intervals import wilson
from edgedigits_runtime.reading.results import Digit, Reading
from tests.conftest import REPOSITORY

EXAMPLES = REPOSITORY / "examples"
LABELS = ("cat & dog", "<b>bird</b>", "$fish$")
SECTIONS = (headline, dataset, curves, decisions, network, calibration, rotation, exports)


class Page(HTMLParser):
    """Collects the pictures, tables and addresses of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.images: list[dict[str, str | None]] = []
        self.tables = self.captions = 0
        self.addresses: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        if tag == "img":
            self.images.append(found)
        self.tables += tag == "table"
        self.captions += tag == "caption"
        self.addresses += [value for name, value in attributes if name in ("src", "href") and value]
        assert tag not in ("script", "iframe", "object", "b>"), tag

    def handle_data(self, data: str) -> None:
        self.text += data


def samples(count: int, channels: int = 3) -> Samples:
    random = np.random.default_rng(count)
    return Samples(
        random.integers(0, 256, (count, 32, 32, channels), np.uint8), np.arange(count, dtype=np.int64) % len(LABELS)
    )


def evaluation(of: Samples) -> Evaluation:
    probabilities = np.random.default_rng(0).dirichlet(np.ones(len(LABELS)), len(of)).astype(np.float32)
    return Evaluation(of.labels, probabilities, probabilities)


@pytest.fixture(scope="module")
def config() -> RunConfig:
    return RunConfig(
        "plain-3conv",
        "pets",
        None,
        3,
        128,
        0,
        {"rotation": 12.0},
        "auto",
        "sha256:0",
        {"validation": 0.1},
        {"python": "3.11.0"},
    )


def facts_of(folder: Path, config: RunConfig) -> Facts:
    """Return the facts of a run on 3 classes of 32x32 RGB images, but for its network, which takes Keras."""
    splits = Splits(samples(90), samples(15), samples(60))
    history = tuple(
        {"epoch": float(i), "accuracy": i / 4, "loss": 1 / i, "val_accuracy": i / 5, "val_loss": 2 / i, "seconds": 1.0}
        for i in (1, 2, 3)
    )
    return Facts(
        RunFolder(folder), config, history, LABELS, None, splits,
        validation=evaluation(splits.validation), test=evaluation(splits.test),
        rotation=RotationCurve((-45, 0, 45), (wilson(1, 9), wilson(9, 9), wilson(2, 9)), 9, 60),
        missing={"network": "the network: it takes Keras"},
    )  # fmt: skip


@pytest.fixture
def empty(tmp_path: Path, config: RunConfig) -> Facts:
    """A run with only its settings."""
    missing = {"history": "H", "network": "N", "data": "D", "decisions": "S"}
    return Facts(RunFolder(tmp_path), config, (), missing=missing)


def made(facts: Facts) -> str:
    return html.page("title", "subtitle", [section(facts) for section in SECTIONS])


@pytest.fixture
def facts(tmp_path: Path, config: RunConfig) -> Facts:
    return facts_of(tmp_path, config)


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory, config: RunConfig) -> str:
    """The page of these facts."""
    return made(facts_of(tmp_path_factory.mktemp("run"), config))


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def test_every_picture_has_an_alternative_text_of_its_own(page: Page) -> None:
    alts = [image["alt"] for image in page.images]
    assert len(alts) > 60
    assert all(alts)
    assert len(set(alts)) > 0.8 * len(alts)


def test_the_page_makes_no_requests(text: str, page: Page) -> None:
    assert "http://" not in text
    assert "https://" not in text
    assert all(address.startswith(("data:", "#")) for address in page.addresses)


def test_links_lead_to_sections(text: str, page: Page) -> None:
    anchors = [address[1:] for address in page.addresses if address.startswith("#")]
    assert len(anchors) == len(SECTIONS)
    assert all(f'<section id="{anchor}">' in text for anchor in anchors)


def test_every_table_has_a_caption(page: Page) -> None:
    assert page.tables == page.captions >= 7


def test_labels_of_a_dataset_are_text(page: Page) -> None:
    assert "<b>bird</b>" in page.text


def test_names_of_pictures_differ(facts: Facts) -> None:
    names = [picture.name for section in SECTIONS for picture in section(facts).pictures]
    assert len(names) == len(set(names)) >= 8


def test_shapes_are_listed(page: Page) -> None:
    assert "90 × 32 × 32 × 3" in page.text


def test_headline_has_accuracy_with_its_interval_and_the_settings(facts: Facts) -> None:
    found, share = Page("".join(headline(facts).blocks)).text, facts.test.accuracy  # type: ignore[union-attr]
    for expected in (
        f"{share.value:.2%}",
        f"{share.low:.2%} to {share.high:.2%}",
        "pets",
        "split.validation",
        "3.11.0",
    ):
        assert expected in found


def test_mistakes_are_counted_and_limited(facts: Facts) -> None:
    test = samples(300)
    many = dataclasses.replace(facts, splits=Splits(samples(9), samples(9), test), test=evaluation(test))
    count = len(many.test.mistakes)  # type: ignore[union-attr]
    found = Page("".join(decisions(many).blocks))
    assert f"{count} of 300 " in found.text
    # Two matrices, 40 mistakes and 12 predictions.
    assert len(found.images) == 2 + 40 + 12


def test_a_network_without_mistakes(facts: Facts) -> None:
    perfect = np.eye(3, dtype=np.float32)[facts.splits.test.labels]  # type: ignore[union-attr]
    test = Evaluation(facts.test.labels, perfect, perfect)  # type: ignore[union-attr]
    section = decisions(dataclasses.replace(facts, test=test))
    assert "None of the 60 " in "".join(section.blocks)
    assert [picture.name for picture in section.pictures] == ["confusion-raw", "confusion-normalised", "predictions"]


def test_rotation_names_the_images_and_the_augmentation(facts: Facts) -> None:
    assert "9 of the 60 " in "".join(rotation(facts).blocks)
    assert "with augmentation" in "".join(rotation(facts).blocks)


@pytest.mark.parametrize(
    ("section", "reasons"),
    [
        (headline, "NDS"), (dataset, "D"), (curves, "H"), (decisions, "NDS"), (network, "N"), (calibration, "NDS"),
        (rotation, "NDS"),
    ],
)  # fmt: skip
def test_a_section_names_what_is_missing(section: object, reasons: str, empty: Facts) -> None:
    found = section(empty)  # type: ignore[operator]
    assert "".join(found.missing) == reasons
    assert not found.pictures


def test_an_empty_run_gives_a_page(empty: Facts) -> None:
    found = Page(made(empty))
    assert found.text.count("Missing:") == 16
    assert not found.images
    assert "plain-3conv" in found.text


def verification(facts: Facts, gate: Gate = Gate(), missed: tuple[str, ...] = ()) -> Verification:
    keras = facts.test.probabilities  # type: ignore[union-attr]
    artifact = keras.copy()
    artifact[:50] = artifact[:50, ::-1]
    comparison = compare(keras, artifact, facts.test.labels, LABELS)  # type: ignore[union-attr]
    facts.run.model.write_bytes(b"model")
    return Verification(
        "a.tflite", "model.keras", file_digest(facts.run.model), "pets", "test", "int8", gate, missed, comparison
    )


def test_verification_is_read_as_it_was_written(facts: Facts) -> None:
    written = verification(facts, Gate(min_agreement=0.99))
    assert read_verification(write_report(written, facts.run.path / "a.tflite")) == written


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"comparison": {}}', "\ud800"])
def test_a_damaged_verification_is_named(facts: Facts, text: str) -> None:
    file = facts.run.path / "a.tflite.verify.json"
    file.write_bytes(text.encode(errors="surrogatepass"))
    with pytest.raises(RunError, match=file.name):
        read_verification(file)
    assert file.name in exports(facts).missing[0]


def test_flipped_images_are_drawn(facts: Facts) -> None:
    written = verification(facts, Gate(max_flips=9))
    write_report(written, facts.run.path / "a.tflite")
    (facts.run.path / "a.tflite").write_bytes(b"12345")
    section = exports(facts)
    found = Page("".join(section.blocks))
    assert len(found.images) == len(written.comparison.flips) > 10
    assert not section.missing
    assert "max flips 9" in found.text
    assert f"image {written.comparison.flips[0].index}" in found.text
    assert "another model.keras" not in found.text


def test_a_refused_export_is_listed(facts: Facts) -> None:
    write_report(verification(facts, Gate(max_flips=0), ("too many flips",)), facts.run.path / "a.tflite")
    found = Page("".join(exports(facts).blocks)).text
    assert "too many flips" in found
    assert "not written" in found


def test_flips_without_their_images_are_listed(facts: Facts) -> None:
    write_report(verification(facts), facts.run.path / "a.tflite")
    for splits in (None, Splits(samples(9), samples(9), samples(30))):
        section = exports(dataclasses.replace(facts, splits=splits))
        assert not section.pictures
        assert "The images are not here" in "".join(section.blocks)


def test_verification_of_another_model_is_noted(facts: Facts) -> None:
    write_report(verification(facts), facts.run.path / "a.tflite")
    facts.run.model.write_bytes(b"trained again")
    assert "another model.keras" in "".join(exports(facts).blocks)


def test_an_unverified_export_is_named(facts: Facts) -> None:
    (facts.run.path / "b.onnx").write_bytes(b"")
    assert exports(facts).missing == ("a proof of b.onnx; export it again, without --no-verify",)


def test_readings_are_counted_and_mistakes_marked(tmp_path: Path) -> None:
    def reading(text: str) -> Reading:
        digits = tuple(Digit(int(c), c, 0.9, (0, 0, 1, 1), ((c, 0.9),)) for c in text)
        return Reading(str(EXAMPLES / "3-blue-pen.jpg"), text, digits, "base", "litert", "cpu", (), {})

    blocks = "".join(examples([(reading("3"), "3"), (reading("8"), "3"), (reading(""), "3")]).blocks)
    assert "1 of 3 " in blocks
    assert blocks.count('class="wrong"') == 2
    assert "no digit" in blocks
    file = tmp_path / "a.tflite"
    file.write_bytes(b"1234567")
    assert "0.064" in "".join(latency([Row("a", "litert", file, wilson(1, 2), None, 0.0642)]).blocks)


def test_text_is_escaped_everywhere() -> None:
    evil = '"><script>alert(1)</script>'
    figure = confusion_figure(np.eye(2, dtype=int), (evil, "b"), normalised=False)
    picture = html.Picture("a", figure, evil, evil)
    blocks = (
        html.paragraph(evil), html.heading(evil), html.tiles([(evil, evil, evil)]),
        html.table(evil, (evil, evil), [(evil, evil)]), html.charts([picture]),
        html.cards([html.card(html.pixels(np.zeros((2, 2, 1), np.uint8), evil), [evil, evil])]),
        html.bars([(evil, 0.5, True)]),
    )  # fmt: skip
    found = Page(html.page(evil, evil, [html.Section("a", evil, blocks, (picture,), (evil,))]))
    assert len(found.images) == 2
    assert all(image["alt"] == evil for image in found.images)
