"""Train, choose, export and describe the shipped models: `python -m benchmarks.shipped_models.build`."""
