"""Several candidates measured in one run, in turns and in random order, so that drift favours none."""
