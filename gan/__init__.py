"""Generators that make rendered plates look photographed."""
