"""Hydra configuration (pkg://conf): one primary file an app, groups below it, plate types and alphabets as data."""
