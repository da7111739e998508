"""Attacks on edgedigits, a script for each kind: `python -m tests.torture.KIND`. They try the promises of SECURITY.md.

Short seeded parts of them run in `make test`; `make torture` runs them in full and renews tests/torture/README.md.
"""
