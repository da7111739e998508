"""How the files of a C export are laid out."""

PROJECTS: dict[str, dict[str, str]] = {
    "plain": {
        name: name for name in ("digits.h", "digits.c", "digits_selftest.c", "golden.h", "Makefile", "CMakeLists.txt")
    },
    "arduino": {
        "digits.h": "src/digits.h",
        "digits.c": "src/digits.c",
        "golden.h": "examples/selftest/golden.h",
        "selftest.ino": "examples/selftest/selftest.ino",
        "library.properties": "library.properties",
    },
    "cmake": {
        "digits.h": "include/digits.h",
        "digits.c": "src/digits.c",
        "digits_selftest.c": "tests/digits_selftest.c",
        "golden.h": "tests/golden.h",
        "CMakeLists.txt": "CMakeLists.txt",
    },
}
"""Where such a project expects each file."""
