"""Figures against peers, measured side by side in one run: `python -m benchmarks` prints every one with pass or fail."""
