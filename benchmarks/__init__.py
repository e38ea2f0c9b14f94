"""Benchmarks against the official package, as ratios: ``python -m benchmarks``."""
