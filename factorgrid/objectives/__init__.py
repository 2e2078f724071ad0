"""Objectives: pure functions of a forward pass, one file per paper. All are losses to minimise.

Contract: an `Objective` is a frozen pytree whose leaves are its hyperparameters, so that members of a group may differ
in them. It says which abilities of a latent it requires and which passes it needs; `loss(passes, batch, context)`
gives the total and its named terms. One with a network of its own (FactorVAE's discriminator) makes it in
`init_critic` and trains it by `critic_loss`.
May import: `models`, `latents`, `layers`, `datasets`, `errors`. To add one: write a file, and an entry in `OBJECTIVES`.
"""

from factorgrid.objectives.annealed_vae import AnnealedVAE
from factorgrid.objectives.autoencoder import PlainAutoencoder
from factorgrid.objectives.beta_tcvae import BetaTCVAE
from factorgrid.objectives.beta_vae import BetaVAE
from factorgrid.objectives.dip_vae import DIPVAEI, DIPVAEII
from factorgrid.objectives.factor_qvae import FactorQVAE
from factorgrid.objectives.factor_vae import FactorVAE
from factorgrid.objectives.grid_tc import GridTC
from factorgrid.objectives.grid_tc_running import GridTCRunning
from factorgrid.objectives.objective import Context as Context
from factorgrid.objectives.objective import Loss as Loss
from factorgrid.objectives.objective import Objective as Objective
from factorgrid.objectives.tripod import Tripod
from factorgrid.objectives.vae import VAE

OBJECTIVES: dict[str, type[Objective]] = {
    "autoencoder": PlainAutoencoder,
    "vae": VAE,
    "beta_vae": BetaVAE,
    "annealed_vae": AnnealedVAE,
    "beta_tcvae": BetaTCVAE,
    "dip_vae_i": DIPVAEI,
    "dip_vae_ii": DIPVAEII,
    "factor_vae": FactorVAE,
    "factor_qvae": FactorQVAE,
    "grid_tc": GridTC,
    "grid_tc_running": GridTCRunning,
    "tripod": Tripod,
}
