"""A second decoder of a run's member, which `factorgrid refine` has trained on its codes: the file that holds it.

`refined/MEMBER.safetensors` in the run's folder, `refined.safetensors` beside the weights of a single pretrained model,
or the file of an exported model itself: arrays under "refined", and the networks that they belong to in the metadata.
"""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import equinox as eqx
import jax

from factorgrid.errors import Error
from factorgrid.files import read_arrays
from factorgrid.latents import Latent
from factorgrid.models import Autoencoder, Networks
from factorgrid.models.autoencoder import Decoder
from factorgrid.training.weights import load_weights, save_weights

FOLDER, ALONE = "refined", "refined.safetensors"
ARRAYS, NETWORKS = "refined", "refined"  # in a file, and in its metadata


class Refined(NamedTuple):
    """A decoder and the networks that it is one half of."""

    decoder: Decoder
    networks: Networks

    @property
    def words(self) -> str:
        """Such as "convolutional, width 64"."""
        return ", ".join(self.networks.in_words)

    @property
    def metadata(self) -> dict[str, str]:
        return {NETWORKS: json.dumps(dataclasses.asdict(self.networks))}

    def decoding(self, model: Autoencoder) -> Autoencoder:
        """The model with this decoder in the place of its own."""
        return dataclasses.replace(model, decoder=self.decoder)


def refined_file(run: Path, member: str) -> Path:
    """Where a member's refined decoder is, if it has one."""
    alone = run / ALONE
    return alone if alone.exists() else run / FOLDER / f"{member}.safetensors"


def save_refined(path: Path, refined: Refined, metadata: Mapping[str, str]) -> None:
    """Write a decoder, whole or not at all, with a checksum."""
    save_weights(path, {ARRAYS: refined.decoder}, {**metadata, **refined.metadata})


def load_refined(path: Path, latent: Latent) -> Refined | None:
    """The refined decoder in a file, for the latent of its member; None if there is no file, or none in it.

    Raises:
        Error: damaged or of another version; networks of a user's own that cannot be imported.
    """
    if not path.exists():
        return None
    _, metadata = read_arrays(path)
    if NETWORKS not in metadata:
        return None
    try:
        values = json.loads(metadata[NETWORKS])
        networks = Networks(**{**values, "image_shape": tuple(values["image_shape"])})
    except (KeyError, TypeError, ValueError) as error:
        raise Error(f"{path} describes no decoder of this version ({error}); refine the run anew") from None
    like = {ARRAYS: eqx.filter_eval_shape(networks.build, latent, jax.random.key(0)).decoder}
    return Refined(load_weights(path, like)[ARRAYS], networks)
