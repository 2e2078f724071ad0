# fmt: off
# ruff: noqa: E501
"""Flags of `factorgrid train`, names of models and scores: what help says, without loading what it speaks of.

Written by `python -m factorgrid.write_options`; change `config.py` or the tables instead.
"""

from typing import Any

# name, type, default (... if there is none), help, second name
FLAGS: tuple[tuple[str, Any, Any, str, str], ...] = (
    ("data", str, ..., "A data set (see: factorgrid data list), or the path of your own images.", ""),
    ("model", str, ..., "What to train; or OBJECTIVE+LATENT.", ""),
    ("steps", int, 300000, "Training steps; the paper's number by default.", ""),
    ("batch_size", int, 64, "Images a step.", ""),
    ("learning_rate", tuple[float, ...] | None, (0.0001,), "Of Adam; several values make several members.", ""),
    ("architecture", str, 'conv64', "conv64 or convolutional (the paper's, sides of 32 to 256), broadcast (its decoder for Circles), mlp (small), or your own, my_module:make_networks.", ""),
    ("num_latents", int, 10, "Latent dimensions.", "latents"),
    ("num_categories", int, 64, "Categories of each latent dimension (discrete models).", "categories"),
    ("temperature", float, 1.0, "Of the Gumbel-softmax (discrete models with noise).", ""),
    ("noise_scale", tuple[float, float], (0.5, 2.0), "Of the Gumbel noise at the first and at the last step.", ""),
    ("init", str, 'truncated_normal', "truncated_normal (the paper's code) or glorot (disentanglement_lib).", ""),
    ("data_seed", int | None, 0, "Of the one data stream that all members share, as in the paper's code; none: each draws its own.", ""),
    ("labels", int, 0, "How many labelled images for semi-supervised training: the first 90 % train, the rest validate.", ""),
    ("label_seed", int, 0, "Which images are labelled; the same for all members.", ""),
    ("supervision", str | None, None, "Gaussian models: bce (default), l2, l2_learned_scale; discrete ones: cross_entropy (default).", ""),
    ("masked", bool, False, "Masked attention: only as many categories as the factor has values stay active.", ""),
    ("reduction", str, 'sum', "Of the supervised term over the labelled batch: sum, as in disentanglement_lib, or mean.", ""),
    ("spacing", str, 'bins', "Which categories stand for the values of a factor: bins, or endpoint to span the whole grid.", ""),
    ("width", int | None, None, "Channels of the layers next to the image, or units of a dense one; the paper's by default.", ""),
    ("depth", int | None, None, "How often images are halved, or how many dense layers; the paper's by default.", ""),
    ("precision", str, 'tf32', "Of products: tf32 (float32 where there is none), float32, or bfloat16 (activations too, not weights).", ""),
    ("decay", float, 0.0, "Weight decay (AdamW), on weights and not on biases; 0 is Adam.", ""),
    ("clip_gradient", float | None, None, "Every element of a gradient is cut to this size.", ""),
    ("beta", tuple[float, ...] | None, None, "For beta_vae, beta_tcvae, beta_dvae, beta_tcdvae, factor_qvae.", ""),
    ("c_max", tuple[float, ...] | None, None, "For annealed_vae, annealed_dvae.", ""),
    ("gamma", tuple[float, ...] | None, None, "For annealed_vae, factor_vae, factor_dvae, annealed_dvae, grid_tc_dvae, running_grid_tc_dvae, factor_qvae.", ""),
    ("iterations", tuple[float, ...] | None, None, "For annealed_vae, annealed_dvae.", ""),
    ("lambda_od", tuple[float, ...] | None, None, "For dip_vae_i, dip_vae_ii, dip_dvae_i, dip_dvae_ii.", ""),
    ("lambda_d_factor", tuple[float, ...] | None, None, "For dip_vae_i, dip_vae_ii, dip_dvae_i, dip_dvae_ii.", ""),
    ("forgetting", tuple[float, ...] | None, None, "For running_grid_tc_dvae, vq_per_latent, vq_vae, vq_vae_ema.", ""),
    ("lambda_m", tuple[float, ...] | None, None, "For tripod.", ""),
    ("lambda_h", tuple[float, ...] | None, None, "For tripod.", ""),
    ("quantization", tuple[float, ...] | None, None, "For qlae, vq_per_latent, vq_vae, vq_vae_ema.", ""),
    ("commitment", tuple[float, ...] | None, None, "For qlae, vq_per_latent, vq_vae, vq_vae_ema.", ""),
    ("revival", tuple[float, ...] | None, None, "For vq_per_latent, vq_vae, vq_vae_ema.", ""),
    ("cooling", tuple[float, ...] | None, None, "For qvae, grid_qvae, factor_qvae.", ""),
    ("omega", tuple[float, ...] | None, None, "For any model with --labels: the weight of the supervised term.", ""),
    ("image_size", int | None, None, "Pixels a side (64 by default) of circles, of twins (32, 16 or 8), or of your own images.", ""),
    ("resident", str | None, None, "Where a table of images lies: device, host, or auto (on the device if it fits).", ""),
    ("subset", str | None, None, "mpi3d: `paper` restricts today's files to the colours and shapes of the paper's edition (inferred).", ""),
    ("clip", bool | None, None, "smallnorb: cut values to [0, 1].", ""),
    ("fit", str | None, None, "Your own images that are not square: stretch, crop to the central square, or pad.", ""),
    ("background", str | None, None, "Seen through transparent pixels and beside padded images: white or black.", ""),
)
MODELS = ("vae", "beta_vae", "annealed_vae", "beta_tcvae", "dip_vae_i", "dip_vae_ii", "factor_vae", "dvae", "factor_dvae", "beta_dvae", "annealed_dvae", "beta_tcdvae", "dip_dvae_i", "dip_dvae_ii", "grid_tc_dvae", "running_grid_tc_dvae", "st_dvae", "ae", "fslq", "tripod", "fsq", "qlae", "vq_per_latent", "vq_vae", "vq_vae_ema", "qvae", "grid_qvae", "factor_qvae")
SCORES = ("beta_vae_score", "factor_vae_score", "mig", "dci", "modularity", "sap", "explicitness", "irs", "infomec", "dci_lightgbm", "downstream_lr", "downstream_gbt", "gaussian_total_correlation", "wasserstein_correlation", "mutual_information_score", "mig_sup", "dcimig", "jemmig", "minimality_sufficiency", "edi", "omes", "z_max_variance", "dci_forest", "infomec_discrete", "code_usage", "fos", "st_gap", "posterior_entropy", "elbo", "udr", "validation", "psnr", "ssim")
DEFAULT_SCORES = ("mig", "st_gap")
PRESETS = "paper: the six values of Locatello et al. (2019), as in Friede et al. (2023); times six of omega with labels"
