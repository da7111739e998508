"""Attacks on edgedigits, one script a kind, each `python -m torture.KIND`: what SECURITY.md promises, tried for long.

Short seeded parts of them run in `make test`; `make torture` runs them in full and renews docs/reliability.md.
"""
