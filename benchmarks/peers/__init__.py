"""Other ways to read digits, compared with edgedigits: `python -m benchmarks.peers`."""
