"""Bulk reading: millions of pictures into Parquet, on this machine or on a Ray cluster."""
