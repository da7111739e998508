"""Torture: attacks on edgedigits, one module for each kind; `make torture` runs them all, docs/reliability.md tells."""
