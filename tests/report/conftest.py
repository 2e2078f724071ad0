"""Fixtures of the tests of pictures."""

from tiny_runs import dvae, folder, images, masked, plain, vae

__all__ = ["dvae", "folder", "images", "masked", "plain", "vae"]
