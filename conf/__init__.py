"""Hydra configuration (pkg://conf): a primary file an app, groups, plate types and alphabets as data."""
