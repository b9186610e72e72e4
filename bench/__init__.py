"""Benchmarks. A speed is shown as a ratio of two things measured in turns within one run, never as an absolute number."""
