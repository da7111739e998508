"""Measurements: timed calls, their summaries, throughput, sustained runs, fresh processes and accuracy."""
