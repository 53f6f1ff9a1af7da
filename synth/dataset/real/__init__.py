"""Readers of other people's data sets: each yields a labelled picture or a problem."""
