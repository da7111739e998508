"""Makers' tools: benchmarks, comparisons and builds. Each runs as `python -m benchmarks.NAME`."""
