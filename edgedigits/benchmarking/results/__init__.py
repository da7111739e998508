"""What was measured: its file, and what is made of such files."""
