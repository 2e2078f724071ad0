"""A second decoder of a run's member, which `factorgrid refine` has trained on its codes: the file that holds it.

`refined/MEMBER.safetensors` in the run's folder (`refined.safetensors` beside the weights of a single pretrained
model). Its metadata says which networks it belongs to, so it is read without asking for anything.
"""

import dataclasses
import json
from pathlib import Path
from typing import NamedTuple

import equinox as eqx
import jax

from factorgrid.errors import Error
from factorgrid.files import read_arrays
from factorgrid.latents import Latent
from factorgrid.models import Networks
from factorgrid.models.autoencoder import Decoder
from factorgrid.training.weights import load_weights, save_weights

FOLDER, ALONE = "refined", "refined.safetensors"
FORMAT = "factorgrid-decoder-1"


class Refined(NamedTuple):
    """A decoder and the networks that it is one half of."""

    decoder: Decoder
    networks: Networks

    @property
    def words(self) -> str:
        """Such as "convolutional, width 64"."""
        return ", ".join(self.networks.in_words)


def refined_file(run: Path, member: str) -> Path:
    """Where a member's refined decoder is, if it has one."""
    alone = run / ALONE
    return alone if alone.exists() else run / FOLDER / f"{member}.safetensors"


def save_refined(path: Path, refined: Refined, member: str) -> None:
    """Write a decoder, whole or not at all, with a checksum."""
    networks = json.dumps(dataclasses.asdict(refined.networks))
    save_weights(path, refined.decoder, {"format": FORMAT, "member": member, "networks": networks})


def load_refined(path: Path, latent: Latent) -> Refined:
    """The decoder in a file, for the latent of its member.

    Raises:
        Error: missing, damaged or of another kind; networks of a user's own that cannot be imported.
    """
    _, metadata = read_arrays(path)
    try:
        values = json.loads(metadata["networks"])
        networks = Networks(**{**values, "image_shape": tuple(values["image_shape"])})
    except (KeyError, TypeError, ValueError) as error:
        raise Error(f"{path} describes no decoder of this version ({error}); delete it, and refine again") from None
    like = eqx.filter_eval_shape(networks.build, latent, jax.random.key(0)).decoder
    return Refined(load_weights(path, like), networks)
