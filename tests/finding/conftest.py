"""Drawn scenes need what those of tests/scenes need."""

from tests.scenes.conftest import written_data

__all__ = ["written_data"]
