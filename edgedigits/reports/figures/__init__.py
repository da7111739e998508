"""The figures of a report: each function takes arrays and returns a matplotlib Figure, and touches nothing else."""
