"""The methods by name: an objective on a latent, with the hyperparameters of the literature.

To add a method: an entry in `NAMED`. Every other pair of a latent and an objective that go together is offered too, as
"OBJECTIVE+LATENT". The discrete methods beyond "dvae" and "factor_dvae" put the other regularisers on the categorical
latent, which the paper leaves to future work.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from factorgrid.errors import Error, unknown_name
from factorgrid.latents import LATENTS, Latent
from factorgrid.latents.abilities import has
from factorgrid.method import why_incompatible
from factorgrid.objectives import OBJECTIVES, Objective

OMEGA = "omega"


@dataclass(frozen=True)
class NamedMethod:
    """An entry of `METHODS`.

    Attributes:
        title: as tables and plots print it.
        objective: a name of `OBJECTIVES`.
        latent: a name of `LATENTS`.
        source: where the method was published.
        grid: the hyperparameter that the study of Locatello et al. (2019) varies, and its six values.
        variant: static fields of the latent that make this method another than the pair alone.
        authors: what its authors set otherwise than we do, as options of `fg.train`; see `authors_settings`.
    """

    title: str
    objective: str
    latent: str
    source: str
    grid: dict[str, tuple[float, ...]] = field(default_factory=dict)
    variant: dict[str, Any] = field(default_factory=dict)
    authors: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def hyperparameters(self) -> dict[str, float]:
        """What may be set, and may differ between the members of a group, with its defaults: numbers of the objective
        and of the latent. Static fields change the program, so they may not."""
        kinds = (OBJECTIVES[self.objective], LATENTS[self.latent])
        fields = [one for kind in kinds for one in kind.__dataclass_fields__.values()]
        return {
            one.name: one.default
            for one in fields
            if not one.metadata.get("static", False) and isinstance(one.default, float)
        }

    def make_objective(self, values: dict[str, float]) -> Objective:
        """The objective with the given hyperparameter values; defaults for the rest.

        Raises:
            Error: a hyperparameter that this method does not have.
        """
        self.check_hyperparameters(values)
        kind = OBJECTIVES[self.objective]
        return kind(**{name: value for name, value in values.items() if name in kind.__dataclass_fields__})

    def check_hyperparameters(self, names: dict[str, float]) -> None:
        """Raise an Error that names the first one that this method does not have."""
        for name in names:
            if name not in self.hyperparameters:
                has_these = ", ".join(self.hyperparameters) or "none"
                raise Error(f"{self.title} has no hyperparameter '{name}'; it has: {has_these}")

    def can(self, ability: type) -> bool:
        """Whether the latent has an ability of `latents.abilities`."""
        return has(self.latent_class, ability)

    @property
    def latent_class(self) -> type[Latent]:
        return LATENTS[self.latent]


def method(name: str) -> NamedMethod:
    """The method called `name`, or "OBJECTIVE+LATENT".

    Raises:
        Error: an unknown name (the nearest known one is suggested), or a pair of which the latent lacks an ability
            that the objective requires.
    """
    if name in METHODS:
        return METHODS[name]
    objective, plus, latent = name.partition("+")
    if plus and objective in OBJECTIVES and latent in LATENTS:
        lacks = why_incompatible(LATENTS[latent], OBJECTIVES[objective])
        if lacks:
            raise Error(f"objective '{objective}' requires a latent with {lacks}, and '{latent}' has not")
        names = [known for known, one in NAMED.items() if _pair(one) == (objective, latent) and not one.variant]
        raise Error(f"'{name}' is called {', '.join(names)}")
    raise unknown_name("model", name, METHODS)


def preset(name: str, model: str, *, supervised: bool = False) -> dict[str, tuple[float, ...]]:
    """The hyperparameter values of a published study, for `Config.hyperparameters`.

    Args:
        name: a name of `PRESETS`.
        model: a name of `METHODS`; one without a grid (VAE, D-VAE) has no values to vary.
        supervised: with the weights omega of the supervised term, if there are labels.

    Raises:
        Error: an unknown preset or model.

    >>> preset("paper", "factor_dvae")
    {'gamma': (10.0, 20.0, 30.0, 40.0, 50.0, 100.0)}
    """
    if name not in PRESETS:
        raise unknown_name("preset", name, PRESETS)
    return {**method(model).grid, **({OMEGA: _OMEGA} if supervised else {})}


def authors_settings(model: str) -> dict[str, Any]:
    """What the authors of a method set otherwise than we do for all, as options of `Config` and keywords of `fg.train`.

    {} where they are the paper's, or where the method is this library's.

    Raises:
        Error: an unknown model.

    >>> authors_settings("tripod")
    {'num_categories': 12, 'learning_rate': 0.0002, 'batch_size': 64, 'clip_gradient': 1.0, 'num_latents': 12}
    """
    return dict(method(model).authors)


PRESETS: dict[str, str] = {
    "paper": "the six values of Locatello et al. (2019), as in Friede et al. (2023); times six of omega with labels",
}

_BETA = (1.0, 2.0, 4.0, 6.0, 8.0, 16.0)
_BETA_TC = (1.0, 2.0, 4.0, 6.0, 8.0, 10.0)
_CAPACITY = (5.0, 10.0, 25.0, 50.0, 75.0, 100.0)
_DIP = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
_GAMMA = (10.0, 20.0, 30.0, 40.0, 50.0, 100.0)
_OMEGA = (1.0, 2.0, 4.0, 6.0, 8.0, 16.0)

# What the authors set for Shapes3D beside weights, which are the defaults here.
_QLAE = {"learning_rate": 1e-3, "batch_size": 128, "decay": 0.1, "clip_gradient": 1.0, "num_latents": 12}
_TRIPOD = {"learning_rate": 2e-4, "batch_size": 64, "clip_gradient": 1.0, "num_latents": 12}
_FACTOR_QVAE = {"learning_rate": 1e-3, "batch_size": 256, "num_latents": 12}

NAMED: dict[str, NamedMethod] = {
    "vae": NamedMethod("VAE", "vae", "gaussian", "Kingma & Welling 2014"),
    "beta_vae": NamedMethod("β-VAE", "beta_vae", "gaussian", "Higgins et al. 2017", {"beta": _BETA}),
    "annealed_vae": NamedMethod("AnnealedVAE", "annealed_vae", "gaussian", "Burgess et al. 2018", {"c_max": _CAPACITY}),
    "beta_tcvae": NamedMethod("β-TCVAE", "beta_tcvae", "gaussian", "Chen et al. 2018", {"beta": _BETA_TC}),
    "dip_vae_i": NamedMethod("DIP-VAE-I", "dip_vae_i", "gaussian", "Kumar et al. 2018", {"lambda_od": _DIP}),
    "dip_vae_ii": NamedMethod("DIP-VAE-II", "dip_vae_ii", "gaussian", "Kumar et al. 2018", {"lambda_od": _DIP}),
    "factor_vae": NamedMethod("FactorVAE", "factor_vae", "gaussian", "Kim & Mnih 2018", {"gamma": _GAMMA}),
    "dvae": NamedMethod("D-VAE", "vae", "categorical", "Friede et al. 2023"),
    "factor_dvae": NamedMethod("FactorDVAE", "factor_vae", "categorical", "Friede et al. 2023", {"gamma": _GAMMA}),
    "beta_dvae": NamedMethod("β-D-VAE", "beta_vae", "categorical", "this library", {"beta": _BETA}),
    "annealed_dvae": NamedMethod("Annealed D-VAE", "annealed_vae", "categorical", "this library", {"c_max": _CAPACITY}),
    "beta_tcdvae": NamedMethod("β-TC-D-VAE", "beta_tcvae", "categorical", "this library", {"beta": _BETA_TC}),
    "dip_dvae_i": NamedMethod("DIP-D-VAE-I", "dip_vae_i", "categorical", "this library", {"lambda_od": _DIP}),
    "dip_dvae_ii": NamedMethod("DIP-D-VAE-II", "dip_vae_ii", "categorical", "this library", {"lambda_od": _DIP}),
    "grid_tc_dvae": NamedMethod("Grid-TC D-VAE", "grid_tc", "categorical", "this library"),
    "running_grid_tc_dvae": NamedMethod("Grid-TC D-VAE, running", "grid_tc_running", "categorical", "this library"),
    "st_dvae": NamedMethod(
        "D-VAE, straight-through", "vae", "categorical", "this library", variant={"relaxed": False}
    ),
    "ae": NamedMethod("Autoencoder", "autoencoder", "plain", "Hinton & Salakhutdinov 2006"),
    "fslq": NamedMethod("FSLQ", "autoencoder", "fslq", "Hsu et al. 2024", authors={"num_categories": 12, **_TRIPOD}),
    "tripod": NamedMethod("Tripod", "tripod", "fslq", "Hsu et al. 2024", authors={"num_categories": 12, **_TRIPOD}),
    "fsq": NamedMethod("FSQ", "autoencoder", "fsq", "Mentzer et al. 2024", authors={"num_categories": 8}),
    "qlae": NamedMethod("QLAE", "autoencoder", "qlae", "Hsu et al. 2023", authors={"num_categories": 10, **_QLAE}),
    "vq_per_latent": NamedMethod("VQ per latent", "autoencoder", "vq", "this library"),
    "vq_vae": NamedMethod(
        "VQ-VAE", "autoencoder", "vq", "van den Oord et al. 2017", variant={"shared": True, "size": 64},
        authors={"num_categories": 512, **_QLAE, "decay": 0.01},
    ),
    "vq_vae_ema": NamedMethod(
        "VQ-VAE, moving average", "autoencoder", "vq", "van den Oord et al. 2017",
        variant={"shared": True, "size": 64, "averaged": True}, authors={"num_categories": 512},
    ),
    "qvae": NamedMethod("QVAE", "vae", "qvae", "Baykal et al. 2025", authors=_FACTOR_QVAE),
    "grid_qvae": NamedMethod("QVAE on the grid", "vae", "qvae", "this library", variant={"learned": False}),
    "factor_qvae": NamedMethod("FactorQVAE", "factor_qvae", "qvae", "Baykal et al. 2025", authors=_FACTOR_QVAE),
}  # fmt: skip


def _pair(entry: NamedMethod) -> tuple[str, str]:
    return entry.objective, entry.latent


def _unnamed() -> dict[str, NamedMethod]:
    """Pairs of a latent and an objective that go together and have no name of their own."""
    named = {_pair(entry) for entry in NAMED.values() if not entry.variant}
    return {
        f"{objective}+{latent}": NamedMethod(f"{objective} + {latent}", objective, latent, "this library")
        for objective in OBJECTIVES
        for latent in LATENTS
        if (objective, latent) not in named and not why_incompatible(LATENTS[latent], OBJECTIVES[objective])
    }


METHODS: dict[str, NamedMethod] = {**NAMED, **_unnamed()}
