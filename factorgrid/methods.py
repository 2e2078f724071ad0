"""The published methods by name: an objective times a latent, with the hyperparameters of the literature.

To add a method: an entry in `METHODS`. The discrete methods beyond "dvae" and "factor_dvae" put the other
regularisers on the categorical latent, which the paper leaves to future work.
"""

from dataclasses import dataclass, field

from factorgrid.errors import Error, unknown_name
from factorgrid.objectives import OBJECTIVES, Objective

OMEGA = "omega"


@dataclass(frozen=True)
class Method:
    """An entry of `METHODS`.

    Attributes:
        title: as tables and plots print it.
        objective: a name of `OBJECTIVES`.
        latent: a name of `LATENTS`.
        grid: the hyperparameter that the study of Locatello et al. (2019) varies, and its six values.
        source: where the method was published.
        fixed: hyperparameters that differ from the objective's own defaults.
    """

    title: str
    objective: str
    latent: str
    source: str
    grid: dict[str, tuple[float, ...]] = field(default_factory=dict)
    fixed: dict[str, float] = field(default_factory=dict)

    @property
    def hyperparameters(self) -> tuple[str, ...]:
        """Names of what may be set, and may differ between the members of a group."""
        return hyperparameter_names(self.objective)

    def make_objective(self, values: dict[str, float]) -> Objective:
        """The objective with the given hyperparameter values; defaults for the rest.

        Raises:
            Error: a hyperparameter that this method does not have.
        """
        for name in values:
            if name not in self.hyperparameters:
                has = ", ".join(self.hyperparameters) or "none"
                raise Error(f"{self.title} has no hyperparameter '{name}'; it has: {has}")
        return OBJECTIVES[self.objective](**{**self.fixed, **values})


def hyperparameter_names(objective: str) -> tuple[str, ...]:
    """Fields of the objective that may vary within a group (static fields change the program, so they may not)."""
    fields = OBJECTIVES[objective].__dataclass_fields__.values()
    return tuple(f.name for f in fields if not f.metadata.get("static", False))


def method(name: str) -> Method:
    """The method called `name`, or an Error with the nearest known name."""
    if name not in METHODS:
        raise unknown_name("model", name, METHODS)
    return METHODS[name]


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


PRESETS: dict[str, str] = {
    "paper": "the six values of Locatello et al. (2019), as in Friede et al. (2023); times six of omega with labels",
}

_BETA = (1.0, 2.0, 4.0, 6.0, 8.0, 16.0)
_BETA_TC = (1.0, 2.0, 4.0, 6.0, 8.0, 10.0)
_CAPACITY = (5.0, 10.0, 25.0, 50.0, 75.0, 100.0)
_DIP = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
_GAMMA = (10.0, 20.0, 30.0, 40.0, 50.0, 100.0)
_OMEGA = (1.0, 2.0, 4.0, 6.0, 8.0, 16.0)

METHODS: dict[str, Method] = {
    "vae": Method("VAE", "vae", "gaussian", "Kingma & Welling 2014"),
    "beta_vae": Method("β-VAE", "beta_vae", "gaussian", "Higgins et al. 2017", {"beta": _BETA}),
    "annealed_vae": Method("AnnealedVAE", "annealed_vae", "gaussian", "Burgess et al. 2018", {"c_max": _CAPACITY}),
    "beta_tcvae": Method("β-TCVAE", "beta_tcvae", "gaussian", "Chen et al. 2018", {"beta": _BETA_TC}),
    "dip_vae_i": Method("DIP-VAE-I", "dip_vae_i", "gaussian", "Kumar et al. 2018", {"lambda_od": _DIP}),
    "dip_vae_ii": Method("DIP-VAE-II", "dip_vae_ii", "gaussian", "Kumar et al. 2018", {"lambda_od": _DIP}),
    "factor_vae": Method("FactorVAE", "factor_vae", "gaussian", "Kim & Mnih 2018", {"gamma": _GAMMA}),
    "dvae": Method("D-VAE", "vae", "categorical", "Friede et al. 2023"),
    "factor_dvae": Method("FactorDVAE", "factor_vae", "categorical", "Friede et al. 2023", {"gamma": _GAMMA}),
    "beta_dvae": Method("β-D-VAE", "beta_vae", "categorical", "this library", {"beta": _BETA}),
    "annealed_dvae": Method("Annealed D-VAE", "annealed_vae", "categorical", "this library", {"c_max": _CAPACITY}),
    "beta_tcdvae": Method("β-TC-D-VAE", "beta_tcvae", "categorical", "this library", {"beta": _BETA_TC}),
    "dip_dvae_i": Method("DIP-D-VAE-I", "dip_vae_i", "categorical", "this library", {"lambda_od": _DIP}),
    "dip_dvae_ii": Method("DIP-D-VAE-II", "dip_vae_ii", "categorical", "this library", {"lambda_od": _DIP}),
}
