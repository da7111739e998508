"""Layouts of a C export: each is a model, its files are what its build system takes, and its example compiles."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from edgedigits.model_files import SHIPPED, find_model
from edgedigits_exporters.microcontroller import c
from edgedigits_exporters.microcontroller.writing.project_files import FRAME_EXAMPLES, PROJECTS
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.engines import find_c_file, is_c_export, open_engine
from tests.support.needs import needs
from tests.support.tiny_models import pictures

CAMERA = """
#pragma once
#include <stddef.h>
#include <stdint.h>
#define ESP_OK 0
enum { LEDC_TIMER_0, LEDC_CHANNEL_0, PIXFORMAT_GRAYSCALE, FRAMESIZE_96X96, CAMERA_FB_IN_DRAM, CAMERA_GRAB_WHEN_EMPTY };
typedef struct {
    int pin_pwdn, pin_reset, pin_xclk, pin_sccb_sda, pin_sccb_scl, pin_d7, pin_d6, pin_d5, pin_d4, pin_d3, pin_d2;
    int pin_d1, pin_d0, pin_vsync, pin_href, pin_pclk, xclk_freq_hz, ledc_timer, ledc_channel, pixel_format, frame_size;
    int fb_count, fb_location, grab_mode;
} camera_config_t;
typedef struct { uint8_t *buf; size_t len, width, height; } camera_fb_t;
#ifdef __cplusplus
extern "C" {
#endif
int esp_camera_init(const camera_config_t *);
camera_fb_t *esp_camera_fb_get(void);
void esp_camera_fb_return(camera_fb_t *);
#ifdef __cplusplus
}
struct Port { void begin(int); template <class T> void print(T); template <class T> void println(T); };
extern Port Serial;
#define F(text) text
#endif
"""
"""Stands in for the camera's driver and Arduino's core."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    place, made = tmp_path_factory.mktemp("projects"), {}
    pico = SHIPPED / "pico.tflite"
    # The pictures are read once, not for each layout.
    vectors = c.golden_vectors(pico, read_contract(pico), "xnnpack", "one")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(c, "golden_vectors", lambda *_: dict(vectors))
        for project in PROJECTS:
            made[project] = c.export(pico, place / project, c.COptions(project=project, frame="one"))
    return made


def test_a_folder_of_any_layout_is_a_model(folders: dict[str, Path]) -> None:
    for folder in folders.values():
        assert is_c_export(folder)
        assert find_model(folder) == folder


@needs("cc")
@pytest.mark.slow
def test_a_folder_of_any_layout_runs(folders: dict[str, Path]) -> None:
    images = pictures(4)
    with open_engine(folders["arduino"]) as one, open_engine(folders["cmake"]) as other:
        assert (one.invoke(one.feed(images)) == other.invoke(other.feed(images))).all()


def test_manifests_are_well_formed(folders: dict[str, Path]) -> None:
    library = json.loads((folders["platformio"] / "library.json").read_text())
    assert {"name", "version", "description", "keywords", "headers", "build"} <= library.keys()
    component = (folders["esp-idf"] / "idf_component.yml").read_text()
    assert re.search(r'^version: "\d+\.\d+\.\d+', component, re.MULTILINE)
    module = (folders["zephyr"] / "zephyr" / "module.yml").read_text()
    for place in re.findall(r"^  (?:cmake|kconfig): (.+)$", module, re.MULTILINE):
        assert (folders["zephyr"] / place).exists()


def test_an_example_is_there_only_with_a_frame(folders: dict[str, Path], tmp_path: Path) -> None:
    for project, files in FRAME_EXAMPLES.items():
        assert all((folders[project] / place).is_file() for place in files.values())
    without = c.export(SHIPPED / "pico.tflite", tmp_path / "c", c.COptions(project="zephyr"))
    assert not (without / "samples").exists()


@needs("cc", "g++")
def test_examples_compile(folders: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "esp_camera.h").write_text(CAMERA)
    strict = ["-Wall", "-Wextra", "-Werror", "-fsyntax-only", f"-I{tmp_path}"]
    idf, zephyr = folders["esp-idf"], folders["zephyr"]
    main = idf / "examples" / "esp32cam" / "main" / "main.c"
    sample = [f"-I{zephyr / 'include'}", f"-I{zephyr / 'tests'}", str(zephyr / "samples" / "frame" / "src" / "main.c")]
    subprocess.run(["cc", "-std=c99", *strict, f"-I{idf / 'include'}", str(main)], check=True)
    subprocess.run(["cc", "-std=c99", *strict, *sample], check=True)
    for project, example in (("arduino", "esp32cam.ino"), ("platformio", "src/esp32cam.ino")):
        folder = folders[project]
        sketch = folder / "examples" / "esp32cam" / example
        header = find_c_file(folder, "digits.h").parent
        subprocess.run(["g++", "-x", "c++", *strict, f"-I{header}", str(sketch)], check=True)


@needs("cmake", "cc")
def test_a_program_that_adds_the_folder_builds_the_library_alone(folders: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "CMakeLists.txt").write_text(
        f"cmake_minimum_required(VERSION 3.13)\nproject(p C)\nadd_subdirectory({folders['cmake']} digits)\n"
    )
    configure = ["cmake", "-S", str(tmp_path), "-B", str(tmp_path / "build"), "-G", "Unix Makefiles"]
    subprocess.run(configure, check=True, capture_output=True)
    targets = ["cmake", "--build", str(tmp_path / "build"), "--target", "help"]
    listed = subprocess.run(targets, check=True, capture_output=True, text=True).stdout
    assert "digits" in listed
    assert "selftest" not in listed
