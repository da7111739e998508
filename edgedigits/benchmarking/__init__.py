"""Benchmarks: what a model costs on this machine, in figures that can be compared with another machine's."""
