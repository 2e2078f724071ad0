"""The keywords of `fg.train`. Written by `python -m factorgrid.write_options`; change `config.py` instead."""

from collections.abc import Sequence
from typing import Any, TypedDict

Values = float | Sequence[float]


class Options(TypedDict, total=False):
    # Images a step.
    batch_size: int
    # Of Adam; several values make several members.
    learning_rate: Values
    # conv64 or convolutional (the paper's, sides of 32 to 256), broadcast (its decoder for Circles), mlp
    # (small), or your own, my_module:make_networks.
    architecture: str
    # Latent dimensions.
    num_latents: int
    # Categories of each latent dimension (discrete models).
    num_categories: int
    # Of the Gumbel-softmax (discrete models with noise).
    temperature: float
    # Of the Gumbel noise at the first and at the last step.
    noise_scale: tuple[float, float]
    # truncated_normal (the paper's code) or glorot (disentanglement_lib).
    init: str
    # Of the one data stream that all members share, as in the paper's code; none: each draws its own.
    data_seed: int | None
    # Options of the data set, such as the image size of circles.
    data_options: dict[str, Any]
    # How many labelled images for semi-supervised training: the first 90 % train, the rest validate.
    labels: int
    # Which images are labelled; the same for all members.
    label_seed: int
    # Gaussian models: bce (default), l2, l2_learned_scale; discrete ones: cross_entropy (default).
    supervision: str | None
    # Masked attention: only as many categories as the factor has values stay active.
    masked: bool
    # Of the supervised term over the labelled batch: sum, as in disentanglement_lib, or mean.
    reduction: str
    # Which categories stand for the values of a factor: bins, or endpoint to span the whole grid.
    spacing: str
    # Channels of the layers next to the image, or units of a dense one; the paper's by default.
    width: int | None
    # How often images are halved, or how many dense layers; the paper's by default.
    depth: int | None
    # Of products: tf32 (float32 where there is none), float32, or bfloat16 (activations too, not weights).
    precision: str
    # Weight decay (AdamW), on weights and not on biases; 0 is Adam.
    decay: float
    # Every element of a gradient is cut to this size.
    clip_gradient: float | None
    # For beta_vae, beta_tcvae, beta_dvae, beta_tcdvae, factor_qvae.
    beta: Values
    # For annealed_vae, annealed_dvae.
    c_max: Values
    # For annealed_vae, factor_vae, factor_dvae, annealed_dvae, grid_tc_dvae, running_grid_tc_dvae, factor_qvae.
    gamma: Values
    # For annealed_vae, annealed_dvae.
    iterations: Values
    # For dip_vae_i, dip_vae_ii, dip_dvae_i, dip_dvae_ii.
    lambda_od: Values
    # For dip_vae_i, dip_vae_ii, dip_dvae_i, dip_dvae_ii.
    lambda_d_factor: Values
    # For running_grid_tc_dvae, vq_per_latent, vq_vae, vq_vae_ema.
    forgetting: Values
    # For tripod.
    lambda_m: Values
    # For tripod.
    lambda_h: Values
    # For qlae, vq_per_latent, vq_vae, vq_vae_ema.
    quantization: Values
    # For qlae, vq_per_latent, vq_vae, vq_vae_ema.
    commitment: Values
    # For vq_per_latent, vq_vae, vq_vae_ema.
    revival: Values
    # For qvae, grid_qvae, factor_qvae.
    cooling: Values
    # For any model with --labels: the weight of the supervised term.
    omega: Values
    # Pixels a side (64 by default) of circles, of twins (32, 16 or 8), or of your own images.
    image_size: int
    # Where a table of images lies: device, host, or auto (on the device if it fits).
    resident: str
    # mpi3d: `paper` restricts today's files to the colours and shapes of the paper's edition (inferred).
    subset: str
    # smallnorb: cut values to [0, 1].
    clip: bool
    # Your own images that are not square: stretch, crop to the central square, or pad.
    fit: str
    # Seen through transparent pixels and beside padded images: white or black.
    background: str
