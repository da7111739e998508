"""Results of benchmarks: their files, and what is made of them. Nothing here measures."""
