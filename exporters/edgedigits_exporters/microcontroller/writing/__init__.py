"""The text of every file of a C export; kernels/ and project/ hold what is the same for all models."""
