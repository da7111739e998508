"""How a figure comes about: the clock, calls one by one, and what is measured by them, each alone."""
