"""Latents: from the encoder's outputs to a posterior, from a posterior to samples, codes and divergences.

Contract: a latent is a description (`Latent`) that reads the encoder's outputs as a `Posterior`; a posterior knows
how to sample, its deterministic code, its variance and its KL divergence to the prior. May import: `errors`.
To add one: write a file, and give it an entry in `LATENTS`.
"""

from factorgrid.latents.categorical import Categorical as Categorical
from factorgrid.latents.categorical import CategoricalPosterior as CategoricalPosterior
from factorgrid.latents.gaussian import Gaussian as Gaussian
from factorgrid.latents.gaussian import GaussianPosterior as GaussianPosterior
from factorgrid.latents.latent import Latent as Latent
from factorgrid.latents.latent import Posterior as Posterior

LATENTS: dict[str, type[Latent]] = {"gaussian": Gaussian, "categorical": Categorical}
