"""Verification: an artifact against its reference, and a model against labelled pictures."""
