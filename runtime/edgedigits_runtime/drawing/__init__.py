"""Drawings of readings for people, with Pillow and its built-in font only."""
