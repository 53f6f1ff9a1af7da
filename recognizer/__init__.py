"""Plate readers trained on synthetic plates, and the benchmark that proves the data."""
