"""Foreign model files, made by other tools: from what a file states, and from trials, to a contract."""
