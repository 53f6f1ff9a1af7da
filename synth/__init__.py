"""Renderer and data-set pipeline: plate types as data, clean plates, camera effects, labelled sets."""

__version__ = "0.1.0"
