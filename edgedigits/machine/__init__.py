"""The machine that a figure was measured on: its fingerprint, and its conditions before, during and after a run."""
