"""Several things in one run, taken in turn in a drawn order, so that drift favours none."""
