"""`predict --dump-input`: the bytes that the network received, raw and as a C array."""

import re
from pathlib import Path

import numpy as np
from typer.testing import CliRunner

import edgedigits
from edgedigits.cli import app
from edgedigits_runtime.synthetic.samples import golden_pictures


def test_dumped_bytes_are_those_that_were_read(tmp_path: Path) -> None:
    encoded, text = golden_pictures()[3]
    picture = tmp_path / "three.png"
    picture.write_bytes(encoded)
    done = CliRunner().invoke(app, ["predict", str(picture), "--model", "pico", "--dump-input", str(tmp_path / "d")])
    assert done.exit_code == 0, done.output
    framed = edgedigits.load("pico").trace(encoded).framed
    raw = (tmp_path / "d" / "three.input.bin").read_bytes()
    assert raw == framed.tobytes()
    assert text in done.output
    listed = (tmp_path / "d" / "three.input.h").read_text().partition("{\n")[2]
    assert bytes(map(int, re.findall(r"\d+", listed))) == raw


def test_nothing_read_is_an_empty_file(tmp_path: Path) -> None:
    from PIL import Image

    Image.fromarray(np.full((64, 64), 200, np.uint8)).save(tmp_path / "blank.png")
    done = CliRunner().invoke(
        app, ["predict", str(tmp_path / "blank.png"), "--model", "pico", "--dump-input", str(tmp_path)]
    )
    assert done.exit_code == 0, done.output
    assert (tmp_path / "blank.input.bin").read_bytes() == b""
    assert "INPUTS = 0" in (tmp_path / "blank.input.h").read_text()
