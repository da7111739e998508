"""Robustness of a model: corrupted images, other writers, and non-digits."""
