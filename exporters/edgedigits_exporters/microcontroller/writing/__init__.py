"""The text of every file of a C export; frame/ and project/ hold the parts that are the same for all models."""
