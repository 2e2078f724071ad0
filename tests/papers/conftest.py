"""Fixtures of the tests of figures that show models."""

from tiny_runs import dvae, folder, masked, vae

__all__ = ["dvae", "folder", "masked", "vae"]
