"""Reject: what the model is not sure of is no digit."""


def is_digit(confidence: float, threshold: float) -> bool:
    """Say whether a calibrated confidence, 0..1, reaches the threshold."""
    return confidence >= threshold
