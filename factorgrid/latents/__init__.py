"""Latents: from the encoder's outputs to a posterior, from a posterior to samples and codes.

Contract: a latent is a description (`Latent`) that reads the encoder's outputs as a `Posterior`; a posterior knows how
to sample and its deterministic code. What else it can do are its abilities (`latents.abilities`): others ask for
those, never for a latent by name. May import: `errors`. To add one: write a file, and give it an entry in `LATENTS`.
"""

from factorgrid.latents.categorical import Categorical as Categorical
from factorgrid.latents.categorical import CategoricalPosterior as CategoricalPosterior
from factorgrid.latents.fslq import FSLQ
from factorgrid.latents.fsq import FSQ
from factorgrid.latents.gaussian import Gaussian as Gaussian
from factorgrid.latents.gaussian import GaussianPosterior as GaussianPosterior
from factorgrid.latents.latent import Latent as Latent
from factorgrid.latents.latent import Posterior as Posterior
from factorgrid.latents.plain import Plain
from factorgrid.latents.qlae import QLAE
from factorgrid.latents.qvae import QVAELatent
from factorgrid.latents.vq import VQ

LATENTS: dict[str, type[Latent]] = {
    "plain": Plain,
    "gaussian": Gaussian,
    "categorical": Categorical,
    "fslq": FSLQ,
    "fsq": FSQ,
    "qlae": QLAE,
    "qvae": QVAELatent,
    "vq": VQ,
}
