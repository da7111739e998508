"""Exporting: from MODEL to an artifact that is proven, with its contract and golden vectors."""
