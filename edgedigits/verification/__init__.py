"""Verification: an export against the Keras model it was made of."""
