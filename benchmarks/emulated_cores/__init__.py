"""Run an exported folder of C on emulated cores: `python -m benchmarks.emulated_cores FOLDER`."""
