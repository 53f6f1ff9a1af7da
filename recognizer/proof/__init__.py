"""The proof: a grid of readers trained on different data, tested on the same plates, as one table."""
