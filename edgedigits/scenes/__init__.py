"""Scenes with truth, drawn to train and to judge the finder."""

from edgedigits.scenes.kinds import ALL_KINDS, draw_scene
from edgedigits.scenes.scene import IGNORED, LETTER, Scene

__all__ = ["ALL_KINDS", "IGNORED", "LETTER", "Scene", "draw_scene"]
