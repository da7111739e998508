"""Evaluation of a model on folders of labelled pictures: the figures, and the command."""

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
from edgedigits.predicting.pictures import ReaderOptions
from edgedigits.reports.misread_sheet import misread_sheet
from edgedigits.verification.evaluation_report import as_lines, to_dict
from edgedigits.verification.folder_evaluation import Case, FolderEvaluation, evaluate_pictures, share_right
from edgedigits.verification.labelled_pictures import LabelledPicture, read_labelled
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


def evaluation(*cases: Case, left_out: tuple[Case, ...] = ()) -> FolderEvaluation:
    return FolderEvaluation("base", "litert", "cpu", ("XNNPACK",), cases, left_out)


FOUND = evaluation(
    case_of("5", "5", "photo"),
    case_of("4", "9", "photo", 0.99),
    case_of("1", "11", "scan"),
    case_of("6125", "625"),
    case_of("34", "34"),
    case_of("", ""),
    case_of("", "7", confidence=0.6),
    case_of("8", None, "scan"),
    left_out=(case_of("3", "3"),),
)


def test_singles_numbers_and_pictures_without_a_digit_are_counted_apart() -> None:
    assert [len(FOUND.single), len(FOUND.several), len(FOUND.without)] == [4, 2, 2]
    assert {kind: [case.right for case in cases] for kind, cases in FOUND.single_by_kind.items()} == {
        "photo": [True, False], "scan": [False, False]
    }  # fmt: skip
    digits = FOUND.digit_scores
    assert (digits.true, digits.read, digits.right) == (6, 5, 5)
    assert digits.recall is not None and digits.precision is not None
    assert (digits.recall.value, digits.precision.value) == (5 / 6, 1.0)


def test_a_picture_that_could_not_be_read_is_wrong_and_named() -> None:
    assert [case.picture.label for case in FOUND.unreadable] == ["8"]
    assert FOUND.unreadable[0] in FOUND.misread
    assert not case_of("", None).right


def test_confusions_tell_the_missed_and_those_that_are_not_there() -> None:
    assert dict(FOUND.confusions) == {("4", "9"): 1, (None, "1"): 1, ("1", None): 1, (None, "7"): 1}


def test_misread_pictures_come_surest_first() -> None:
    confidences = [case.confidence for case in FOUND.misread]
    assert confidences == sorted(confidences, reverse=True) and confidences[0] == 0.99


def test_the_calibration_is_that_of_all_digits_read() -> None:
    bins = FOUND.calibration
    assert bins is not None and bins.counts.sum() == 1 + 1 + 2 + 3 + 2 + 1
    assert evaluation(case_of("1", "")).calibration is None
    sure = evaluation(case_of("1", "1", confidence=1.0), case_of("12", "12", confidence=1.0)).calibration
    assert sure is not None and sure.expected_error == 0


def test_the_json_holds_what_the_lines_tell() -> None:
    found = to_dict(FOUND)
    assert found["single"]["pictures"] == 4 and found["single"]["right"] == 1
    assert found["single"]["by_kind"]["photo"]["share"]["value"] == 0.5
    assert found["several"]["recall"]["value"] == round(5 / 6, 6)
    assert found["left_out"]["right"] == 1
    assert len(found["misread"]) == len(FOUND.misread)
    assert sum(one["digits"] for one in found["calibration"]["bins"]) == found["calibration"]["digits"]
    assert json.loads(json.dumps(found)) == found
    lines = "\n".join(as_lines(FOUND))
    assert "a.png: 4 read as 9 (99.0%)" in lines and "7 where none is 1x" in lines and "1 missed 1x" in lines


def test_a_folder_of_one_sort_shows_only_that() -> None:
    found = to_dict(evaluation(case_of("1", "1")))
    assert found["several"]["share"] is None and found["no_digit"]["share"] is None
    assert found["several"]["precision"] is None
    assert "with several" not in "\n".join(as_lines(evaluation(case_of("1", "1"))))


TEXTS = st.text("0123456789", max_size=5)


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=12))
def test_shares_lie_between_0_and_1_and_hold_together(pairs: list[tuple[str, str]]) -> None:
    found = evaluation(*(case_of(truth, read) for truth, read in pairs))
    assert len(found.single) + len(found.several) + len(found.without) == len(pairs)
    digits = found.digit_scores
    assert 0 <= digits.right <= min(digits.true, digits.read)
    for share in (digits.precision, digits.recall, share_right(found.cases)):
        assert share is None or 0 <= share.low <= share.value <= share.high <= 1
    for cases in (found.single, found.several, found.without):
        right = sum(case.right for case in cases)
        assert right == sum(case.picture.label == "".join(case.read) for case in cases)
    if found.several and all(case.right for case in found.several):
        assert digits.right == digits.true == digits.read
    assert sum(count for _, count in found.confusions) == sum(
        true != read for case in found.cases for true, read in case.pairs
    )


def test_a_label_that_the_model_cannot_read_is_named() -> None:
    picture = LabelledPicture(EXAMPLES / "5-pencil.jpg", "5-pencil.jpg", "4.0")
    with pytest.raises(DatasetInvalid, match=r"'4\.0'.*0, 1, 2"):
        evaluate_pictures([picture], ReaderOptions())


def test_the_examples_are_read_and_notes_leave_pictures_out() -> None:
    pictures = [
        LabelledPicture(EXAMPLES / name, name, name[0], kind, "Hard to Read" if kind == "chalk" else "")
        for kind, name in WILD.items()
    ]
    found = evaluate_pictures(pictures, ReaderOptions(), exclude=["hard to read"])
    assert [case.picture.kind for case in found.cases] == ["pencil"]
    assert [case.picture.kind for case in found.left_out] == ["chalk"]
    assert found.cases[0].right and found.model == "base" and found.ms["total"] > 0


def test_the_sheet_shows_misread_pictures_and_counts_the_rest() -> None:
    path = EXAMPLES / "5-pencil.jpg"
    one = Case(LabelledPicture(path, path.name, "6"), ("6",), reading_of("5"))
    sheet = misread_sheet([one], "title")
    assert sheet.mode == "RGB" and sheet.getcolors(2) is None
    more = misread_sheet([one, case_of("1", None)], "title")
    assert more.height > sheet.height
    assert misread_sheet([], "nothing is misread").height > 0


def test_the_command_on_a_folder_with_labels(run_command: RunCommand, tmp_path: Path) -> None:
    (tmp_path / "mine" / "images").mkdir(parents=True)
    for name in WILD.values():
        shutil.copy(EXAMPLES / name, tmp_path / "mine" / "images")
    Image.new("L", (60, 40), 255).save(tmp_path / "mine" / "images" / "blank.png")
    labels = "file,label,kind,note\n5-pencil.jpg,6,photo,\n1-chalk-on-blackboard.jpg,1,photo,\nblank.png,,nodigit,\n"
    (tmp_path / "mine" / "labels.csv").write_text(labels)
    shown = run_command("evaluate", "mine", "--json", "found.json", "--sheet", "misread.png", "--jobs", "2").stdout
    assert "5-pencil.jpg: 6 read as 5" in shown
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["single"]["by_kind"]["photo"]["right"] == 1 and found["no_digit"]["right"] == 1
    assert found["machine"]["cores"] and found["folder"] == "mine" and found["jobs"] == 2
    with Image.open(tmp_path / "misread.png") as sheet:
        assert sheet.width > 100


def test_the_command_on_sub_folders_prints_json(run_command: RunCommand, tmp_path: Path) -> None:
    for name in ("3-blue-pen.jpg", "8-fax-1-bit.png"):
        (tmp_path / "mine" / name[0]).mkdir(parents=True)
        shutil.copy(EXAMPLES / name, tmp_path / "mine" / name[0])
    found = json.loads(run_command("evaluate", "mine", "--json", "-").stdout)
    assert (found["single"]["pictures"], found["single"]["right"]) == (2, 2)
    assert [case.label for case in read_labelled(tmp_path / "mine")] == ["3", "8"]


def test_the_command_names_what_is_missing_and_fails_on_what_cannot_be_read(
    run_command: RunCommand, tmp_path: Path
) -> None:
    done = run_command("evaluate", "nowhere", check=1)
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
    (tmp_path / "mine" / "1").mkdir(parents=True)
    (tmp_path / "mine" / "1" / "bad.png").write_text("no picture")
    done = run_command("evaluate", "mine", check=1)
    assert "bad.png" in done.stderr and "with one digit" in done.stdout


def test_names_that_are_no_text_can_be_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = os.fsdecode(b"\xff.png")
    picture = LabelledPicture(tmp_path / name, name, "1")
    cases = (Case(picture, ("1",), reading_of("7")), Case(picture, ("1",), None, f"{name} is damaged"))
    monkeypatch.setattr("edgedigits.verification.labelled_pictures.read_labelled", lambda _: [picture] * 2)
    monkeypatch.setattr(
        "edgedigits.verification.folder_evaluation.evaluate_pictures", lambda *_, **__: evaluation(*cases)
    )
    with pytest.raises(typer.Exit):
        evaluate(tmp_path / os.fsdecode(b"\xfe"))
    told = capsys.readouterr()
    assert "\\udcfe: 2 pictures" in told.out and "\\udcff.png: 1 read as 7" in told.out
    assert told.err == "error: \\udcff.png is damaged\n"


def test_evaluate_needs_nothing_beyond_the_light_install(run_command: RunCommand, tmp_path: Path) -> None:
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
