"""Speed, side by side with the official package, as ratios: ``python -m benchmarks``."""
