"""Importing: from a foreign model to one file with a contract inside."""
