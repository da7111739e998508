"""Evaluation on a folder of labelled pictures."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from edgedigits.cli.evaluate import evaluate
from edgedigits.data.labelled_pictures import LabelledPicture, read_labelled
from edgedigits.predicting.pictures import ReaderOptions
from edgedigits.reports.misread_sheet import misread_sheet
from edgedigits.verification.evaluation_report import as_lines, to_dict
from edgedigits.verification.folder_evaluation import Case, FolderEvaluation, evaluate_pictures, share_right
from edgedigits_runtime.errors import DatasetInvalid
from edgedigits_runtime.reading.results import Digit, Reading
from edgedigits_runtime.timing import STAGES
from tests.conftest import REPOSITORY, RunCommand

EXAMPLES = REPOSITORY / "examples"
WILD = {"pencil": "5-pencil.jpg", "chalk": "1-chalk-on-blackboard.jpg"}


def reading_of(text: str, confidence: float = 0.9) -> Reading:
    digits = tuple(
        Digit(int(label), label, confidence, (10 * k, 0, 8, 8), ((label, confidence),)) for k, label in enumerate(text)
    )
    return Reading("a.png", text, digits, "base", "litert", "cpu", ("XNNPACK",), dict.fromkeys((*STAGES, "total"), 1.0))


def case_of(truth: str, read: str | None, kind: str = "", confidence: float = 0.9) -> Case:
    picture = LabelledPicture(Path("a.png"), "a.png", truth, kind)
    if read is None:
        return Case(picture, tuple(truth), None, "a.png is damaged")
    return Case(picture, tuple(truth), reading_of(read, confidence))


def evaluation(*cases: Case, excluded: tuple[Case, ...] = ()) -> FolderEvaluation:
    return FolderEvaluation("base", "litert", "cpu", ("XNNPACK",), cases, excluded)


FOUND = evaluation(
    case_of("5", "5", "photo"),
    case_of("4", "9", "photo", 0.99),
    case_of("1", "11", "scan"),
    case_of("6125", "625"),
    case_of("34", "34"),
    case_of("", ""),
    case_of("", "7", confidence=0.6),
    case_of("8", None, "scan"),
    excluded=(case_of("3", "3"),),
)


def test_one_digit_several_digits_and_no_digit_have_separate_figures() -> None:
    assert [len(FOUND.single), len(FOUND.several), len(FOUND.no_digit)] == [4, 2, 2]
    assert {kind: [case.right for case in cases] for kind, cases in FOUND.single_by_kind.items()} == {
        "photo": [True, False], "scan": [False, False]
    }  # fmt: skip
    digits = FOUND.digit_scores
    assert (digits.true, digits.read, digits.right) == (6, 5, 5)
    assert digits.recall is not None and digits.precision is not None
    assert (digits.recall.value, digits.precision.value) == (5 / 6, 1.0)


def test_an_unreadable_picture_counts_as_wrong() -> None:
    assert [case.picture.label for case in FOUND.unreadable] == ["8"]
    assert FOUND.unreadable[0] in FOUND.misread
    assert not case_of("", None).right


def test_confusions_include_missed_and_extra_digits() -> None:
    assert dict(FOUND.confusions) == {("4", "9"): 1, (None, "1"): 1, ("1", None): 1, (None, "7"): 1}


def test_misread_pictures_are_ordered_by_confidence() -> None:
    confidences = [case.confidence for case in FOUND.misread]
    assert confidences == sorted(confidences, reverse=True) and confidences[0] == 0.99


def test_reliability_covers_every_digit_read() -> None:
    bins = FOUND.reliability
    assert bins is not None and bins.counts.sum() == 1 + 1 + 2 + 3 + 2 + 1
    assert evaluation(case_of("1", "")).reliability is None
    sure = evaluation(case_of("1", "1", confidence=1.0), case_of("12", "12", confidence=1.0)).reliability
    assert sure is not None and sure.expected_error == 0


def test_the_json_and_the_lines_have_the_same_figures() -> None:
    found = to_dict(FOUND)
    assert found["single"]["pictures"] == 4 and found["single"]["right"] == 1
    assert found["single"]["by_kind"]["photo"]["share"]["value"] == 0.5
    assert found["several"]["recall"]["value"] == round(5 / 6, 6)
    assert found["left_out"]["right"] == 1
    assert len(found["misread"]) == len(FOUND.misread)
    assert sum(one["digits"] for one in found["calibration"]["bins"]) == found["calibration"]["digits"]
    assert json.loads(json.dumps(found)) == found
    lines = "\n".join(as_lines(FOUND))
    assert "a.png: 4 read as 9 (99.0%)" in lines and "7 read without a digit 1x" in lines and "1 missed 1x" in lines


def test_rows_without_pictures_are_omitted() -> None:
    found = to_dict(evaluation(case_of("1", "1")))
    assert found["several"]["share"] is None and found["no_digit"]["share"] is None
    assert found["several"]["precision"] is None
    assert "with several" not in "\n".join(as_lines(evaluation(case_of("1", "1"))))


TEXTS = st.text("0123456789", max_size=5)


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=12))
def test_shares_are_between_0_and_1_and_consistent(pairs: list[tuple[str, str]]) -> None:
    found = evaluation(*(case_of(truth, read) for truth, read in pairs))
    assert len(found.single) + len(found.several) + len(found.no_digit) == len(pairs)
    digits = found.digit_scores
    assert 0 <= digits.right <= min(digits.true, digits.read)
    for share in (digits.precision, digits.recall, share_right(found.cases)):
        assert share is None or 0 <= share.low <= share.value <= share.high <= 1
    for cases in (found.single, found.several, found.no_digit):
        right = sum(case.right for case in cases)
        assert right == sum(case.picture.label == "".join(case.read) for case in cases)
    if found.several and all(case.right for case in found.several):
        assert digits.right == digits.true == digits.read
    assert sum(count for _, count in found.confusions) == sum(
        true != read for case in found.cases for true, read in case.pairs
    )


def test_a_label_unknown_to_the_model_is_refused() -> None:
    picture = LabelledPicture(EXAMPLES / "5-pencil.jpg", "5-pencil.jpg", "4.0")
    with pytest.raises(DatasetInvalid, match=r"'4\.0'.*0, 1, 2"):
        evaluate_pictures([picture], ReaderOptions())


def test_examples_are_read_and_notes_exclude_pictures() -> None:
    pictures = [
        LabelledPicture(EXAMPLES / name, name, name[0], kind, "Hard to Read" if kind == "chalk" else "")
        for kind, name in WILD.items()
    ]
    found = evaluate_pictures(pictures, ReaderOptions(), exclude=["hard to read"])
    assert [case.picture.kind for case in found.cases] == ["pencil"]
    assert [case.picture.kind for case in found.excluded] == ["chalk"]
    assert found.cases[0].right and found.model == "base" and found.ms["total"] > 0


def test_the_sheet_draws_misread_pictures() -> None:
    path = EXAMPLES / "5-pencil.jpg"
    one = Case(LabelledPicture(path, path.name, "6"), ("6",), reading_of("5"))
    sheet = misread_sheet([one], "title")
    assert sheet.mode == "RGB" and sheet.getcolors(2) is None
    more = misread_sheet([one, case_of("1", None)], "title")
    assert more.height > sheet.height
    assert misread_sheet([], "nothing is misread").height > 0


def test_the_command_on_a_folder_with_labels(run_here: RunCommand, tmp_path: Path) -> None:
    (tmp_path / "mine" / "images").mkdir(parents=True)
    for name in WILD.values():
        shutil.copy(EXAMPLES / name, tmp_path / "mine" / "images")
    Image.new("L", (60, 40), 255).save(tmp_path / "mine" / "images" / "blank.png")
    labels = "file,label,kind,note\n5-pencil.jpg,6,photo,\n1-chalk-on-blackboard.jpg,1,photo,\nblank.png,,nodigit,\n"
    (tmp_path / "mine" / "labels.csv").write_text(labels)
    output = run_here("evaluate", "mine", "--json", "found.json", "--sheet", "misread.png", "--jobs", "2").stdout
    assert "5-pencil.jpg: 6 read as 5" in output
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["single"]["by_kind"]["photo"]["right"] == 1 and found["no_digit"]["right"] == 1
    assert found["machine"]["cores"] and found["folder"] == "mine" and found["jobs"] == 2
    with Image.open(tmp_path / "misread.png") as sheet:
        assert sheet.width > 100


def test_the_command_on_sub_folders_prints_json(run_here: RunCommand, tmp_path: Path) -> None:
    for name in ("3-blue-pen.jpg", "8-fax-1-bit.png"):
        (tmp_path / "mine" / name[0]).mkdir(parents=True)
        shutil.copy(EXAMPLES / name, tmp_path / "mine" / name[0])
    found = json.loads(run_here("evaluate", "mine", "--json", "-").stdout)
    assert (found["single"]["pictures"], found["single"]["right"]) == (2, 2)
    assert [case.label for case in read_labelled(tmp_path / "mine")] == ["3", "8"]


def test_the_command_fails_on_missing_folders_and_unreadable_pictures(run_here: RunCommand, tmp_path: Path) -> None:
    done = run_here("evaluate", "nowhere", check=1)
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
    (tmp_path / "mine" / "1").mkdir(parents=True)
    (tmp_path / "mine" / "1" / "bad.png").write_text("no picture")
    done = run_here("evaluate", "mine", check=1)
    assert "bad.png" in done.stderr


def test_file_names_that_are_not_text_are_escaped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = os.fsdecode(b"\xff.png")
    picture = LabelledPicture(tmp_path / name, name, "1")
    cases = (Case(picture, ("1",), reading_of("7")), Case(picture, ("1",), None, f"{name} is damaged"))
    monkeypatch.setattr("edgedigits.data.labelled_pictures.read_labelled", lambda _: [picture] * 2)
    monkeypatch.setattr(
        "edgedigits.verification.folder_evaluation.evaluate_pictures", lambda *_, **__: evaluation(*cases)
    )
    with pytest.raises(typer.Exit):
        evaluate(tmp_path / os.fsdecode(b"\xfe"))
    printed = capsys.readouterr()
    assert "\\udcfe: 2 pictures" in printed.out and "\\udcff.png: 1 read as 7" in printed.out
    assert printed.err == "error: \\udcff.png is damaged\n"


def test_evaluate_runs_in_the_light_install(run_here: RunCommand, tmp_path: Path) -> None:
    heavy = ("tensorflow", "keras", "matplotlib", "scipy", "sklearn", "onnx", "tf2onnx", "onnxruntime")
    code = (
        f"import sys\nfor name in {heavy!r}: sys.modules[name] = None\n"
        "from edgedigits.cli import main\n"
        f"sys.argv = ['edgedigits', 'evaluate', {str(EXAMPLES)!r}, '--json', 'a.json', '--sheet', 'a.png']\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.json").is_file() and (tmp_path / "a.png").is_file()
