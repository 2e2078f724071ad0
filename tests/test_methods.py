"""What holds for every method of the table, through the trainer itself; and the published grids."""

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array, Float, Int, Key

from factorgrid.datasets import DeviceDataset
from factorgrid.errors import Error
from factorgrid.factors import FactorSpace
from factorgrid.latents import LATENTS
from factorgrid.method import why_incompatible
from factorgrid.methods import METHODS, NAMED, PRESETS, method, preset
from factorgrid.objectives import OBJECTIVES, Objective
from factorgrid.training import Config
from factorgrid.training.groups import Shapes, make_group, stack
from factorgrid.training.state import Group, State, initial_state
from factorgrid.training.step import advance, program


class SoftDisc(DeviceDataset):
    """A disc with a soft edge somewhere: two factors, and quicker to compile than any data set of ours."""

    name: str = eqx.field(static=True, default="soft_disc")
    space: FactorSpace = eqx.field(static=True, default=FactorSpace(("x", "y"), (6, 6)))
    image_shape: tuple[int, int, int] = eqx.field(static=True, default=(12, 12, 1))
    deterministic: bool = eqx.field(static=True, default=True)

    def images(self, key: Key[Array, ""], factors: Int[Array, "batch factor"]) -> Float[Array, "batch 12 12 1"]:
        centre = 3.0 + factors[:, :, None].astype(jnp.float32)
        x, y = jnp.moveaxis(jnp.exp(-((jnp.arange(12.0) - centre) ** 2) / 4), 1, 0)
        return (y[:, :, None] * x[:, None, :])[..., None]


DATA = SoftDisc()
SMALL: dict[str, Any] = {
    "architecture": "mlp",
    "num_latents": 3,
    "num_categories": 8,
    "batch_size": 16,
    "learning_rate": 1e-3,
}
LONG = 250

Terms = dict[str, np.ndarray]


class Case(NamedTuple):
    """What to expect of an objective.

    Attributes:
        neutral: hyperparameters that make it the negative ELBO.
        off, heavy: its penalty without weight, and with much.
        penalty: what the weight is on; None if there is none.
        total: the loss, put together from its terms.
    """

    neutral: dict[str, float]
    off: dict[str, float]
    heavy: dict[str, float]
    penalty: Callable[[Terms], np.ndarray] | None
    total: Callable[[Terms, Any], Any]


def elbo(t: Terms) -> np.ndarray:
    return t["reconstruction"] + t["kl"]


def dip_case(factor: float) -> Case:
    def penalty(t: Terms) -> np.ndarray:
        return t["off_diagonal"] + factor * t["diagonal"]

    def total(t: Terms, o: Any) -> np.ndarray:
        return elbo(t) + o.lambda_od * penalty(t)

    weights = [{"lambda_od": value} for value in (0.0, 0.0, 30.0)]
    return Case(*weights, penalty, total)


CASES: dict[str, Case] = {
    "autoencoder": Case(
        {}, {}, {}, None, lambda t, o: t["reconstruction"] + t.get("quantization", 0) + t.get("commitment", 0)
    ),
    "vae": Case({}, {}, {}, None, lambda t, o: elbo(t)),
    "beta_vae": Case(
        {"beta": 1.0},
        {"beta": 0.0},
        {"beta": 16.0},
        lambda t: t["kl"],
        lambda t, o: t["reconstruction"] + o.beta * t["kl"],
    ),
    "annealed_vae": Case(
        {"c_max": 0.0, "gamma": 1.0},
        {"c_max": 2.0, "gamma": 0.0, "iterations": 10.0},
        {"c_max": 2.0, "gamma": 50.0, "iterations": 10.0},
        lambda t: t["capacity_error"],
        lambda t, o: t["reconstruction"] + o.gamma * t["capacity_error"],
    ),
    "beta_tcvae": Case(
        {"beta": 1.0},
        {"beta": 1.0},
        {"beta": 30.0},
        # the constants that the estimate leaves out: (n - 1) log B, so that independence is 0
        lambda t: t["total_correlation"] + (SMALL["num_latents"] - 1) * np.log(SMALL["batch_size"]),
        lambda t, o: elbo(t) + (o.beta - 1) * t["total_correlation"],
    ),
    "dip_vae_i": dip_case(10.0),
    "dip_vae_ii": dip_case(1.0),
    "factor_vae": Case(
        {"gamma": 0.0},
        {"gamma": 0.0},
        {"gamma": 50.0},
        lambda t: t["total_correlation"],
        lambda t, o: elbo(t) + o.gamma * t["total_correlation"],
    ),
}
CASES["factor_qvae"] = CASES["factor_vae"]._replace(
    total=lambda t, o: t["reconstruction"] + o.beta * t["kl"] + o.gamma * t["total_correlation"]
)
for grid in ("grid_tc", "grid_tc_running"):
    CASES[grid] = CASES["factor_vae"]._replace(
        heavy={"gamma": 500.0},
        penalty=lambda t: t["pairwise_information"] + 0.5,
        total=lambda t, o: elbo(t) + o.gamma * t["pairwise_information"],
    )
CASES["tripod"] = Case(
    {"lambda_m": 0.0, "lambda_h": 0.0},
    {"lambda_m": 0.0, "lambda_h": 0.0},
    {"lambda_m": 0.0, "lambda_h": 500.0},
    None,
    lambda t, o: (
        t["reconstruction"]
        + o.lambda_m * t["multi_information"]
        + o.lambda_h * t["hessian"]
        + t.get("quantization", 0)
        + t.get("commitment", 0)
    ),
)
PARENTS = {"gaussian": "vae", "categorical": "dvae", "qvae": "qvae", "plain": "ae", "vq": "vq_per_latent"}
PARENTS |= {name: name for name in ("fslq", "fsq", "qlae")}
CRITICS = ("factor_vae", "factor_qvae")
# every name, and of the pairs without one only those on categories and normal numbers: a compilation takes seconds
TESTED = [name for name in METHODS if name in NAMED or METHODS[name].latent in ("gaussian", "categorical")]
PENALISED = [name for name in TESTED if CASES[METHODS[name].objective].penalty]


def small(objective: Objective) -> Objective:
    """A discriminator of 32 instead of 1000 units: the contract is the same, the test is quick."""
    return dataclasses.replace(objective, width=32) if "width" in objective.__dataclass_fields__ else objective


def group_of(name: str) -> Group:
    """Four members: neutral, off and heavy with seed 0, heavy with seed 1."""
    config = Config(data="circles", model=name, seeds=(0, 1, 2, 3), steps=LONG, **SMALL)
    case, chosen = CASES[METHODS[name].objective], METHODS[name]
    values = (case.neutral, case.off, case.heavy, case.heavy)
    objective = stack([small(chosen.make_objective(each)) for each in values])
    group = make_group(config, Shapes.of(DATA))
    method = dataclasses.replace(
        group.method, objective=objective, optimizer=of_member(group.method.optimizer, slice(4))
    )
    return Group(method, jnp.asarray([0, 0, 0, 1], jnp.int32), group.num_steps, group.batch_size, group.data_seed)


def steps(state: State, group: Group, count: int) -> tuple[State, Terms]:
    """`advance` uses up the state that it is given."""
    state, terms = advance(jax.tree.map(jnp.array, state), group, DATA, None, jnp.asarray(count, jnp.int32))
    return state, {name: np.asarray(value) for name, value in terms.items()}


class Trained(NamedTuple):
    group: Group
    start: State
    five: State
    ten: State
    terms: Terms  # of the first five steps


def first_state(name: str, group: Group) -> State:
    """Without a critic the parent's, of the same seeds: compiling it once is enough."""
    parent = PARENTS[METHODS[name].latent]
    shared = METHODS[name].objective == "vae" and name != parent and not METHODS[name].variant
    return trained(parent).start if shared else initial_state(group)


@functools.cache
def trained(name: str) -> Trained:
    group = group_of(name)
    start = first_state(name, group)
    five, terms = steps(start, group, 5)
    ten, _ = steps(five, group, 5)
    return Trained(group, start, five, ten, terms)


def of_member(tree: Any, index: slice) -> Any:
    """Some members of a tree whose arrays have a leading member axis."""
    return jax.tree.map(lambda leaf: leaf[index], tree)


def member_of(tree: Any, index: int) -> Any:
    return jax.tree.map(lambda leaf: leaf[index], tree)


def assert_trees_close(found: Any, expected: Any, *, exactly: bool = False) -> None:
    """Exactly, or up to rounding: two programs round differently, and where a gradient is rounding noise Adam makes a
    whole step of it, so a few weights in a hundred may be up to a step (1e-3) apart."""
    pairs = list(zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True))
    if exactly:
        for a, b in pairs:
            np.testing.assert_array_equal(a, b)
    elif pairs:
        a, b = (np.concatenate([np.ravel(leaf).astype(np.float64) for leaf in side]) for side in zip(*pairs))
        assert np.abs(a - b).max() < 1e-3
        assert np.mean(np.abs(a - b) > 2e-6 + 1e-4 * np.abs(b)) < 0.02


@pytest.mark.parametrize("name", TESTED)
def test_terms_are_finite_and_add_up(name):
    terms, objective = trained(name).terms, trained(name).group.method.objective
    for value in terms.values():
        assert value.shape == (4,)
        assert np.isfinite(value).all()
    np.testing.assert_allclose(terms["loss"], CASES[METHODS[name].objective].total(terms, objective), rtol=1e-4)
    assert (terms.get("kl", np.ones(1)) > 0).all()
    assert (terms["reconstruction"] > 0).all()


@pytest.mark.parametrize("name", TESTED)
def test_everything_learns_and_stays_finite(name):
    """Gradients are finite, or a member would be frozen; every weight moves, of the discriminator too."""
    run = trained(name)
    assert np.asarray(run.five.alive).all()
    for before, after in zip(jax.tree.leaves(run.start.params), jax.tree.leaves(run.five.params), strict=True):
        assert np.isfinite(after).all()
        assert (np.asarray(before) != np.asarray(after)).reshape(4, -1).any(axis=1).all()
    assert (run.start.params.critic is None) == (METHODS[name].objective not in CRITICS)


@pytest.mark.parametrize("name", TESTED)
def test_five_and_five_steps_equal_ten_and_compile_once(name):
    run = trained(name)
    compiled = program(run.group)._cache_size()
    ten, _ = steps(run.start, run.group, 10)
    assert program(run.group)._cache_size() == compiled
    assert_trees_close(ten, run.ten, exactly=True)


@pytest.mark.parametrize(
    "name", [name for name in TESTED if METHODS[name].objective != "autoencoder" and not METHODS[name].variant]
)
def test_neutral_hyperparameters_give_the_parents_trajectory(name):
    """beta = 1, gamma = 0, lambda = 0, no capacity: the VAE or D-VAE of the same seed, step by step."""
    parent = trained(PARENTS[METHODS[name].latent])
    assert_trees_close(member_of(trained(name).ten.params.model, 0), member_of(parent.ten.params.model, 0))
    for term in {"reconstruction", "kl"} & set(parent.terms):
        np.testing.assert_allclose(trained(name).terms[term][0], parent.terms[term][0], rtol=1e-5)


# every objective once, on either latent in turn
ALONE = ("vae", "fsq", "qlae", "beta_dvae", "annealed_vae", "beta_tcdvae", "dip_vae_i", "dip_dvae_ii", "factor_dvae")


@pytest.mark.parametrize("name", ALONE)
def test_a_member_alone_equals_the_member_in_its_group(name):
    run = trained(name)
    index = 3
    alone = of_member(run.group, slice(index, index + 1))
    start = jax.tree.map(lambda leaf: np.asarray(leaf)[index : index + 1] if jnp.ndim(leaf) else leaf, run.start)
    five, terms = steps(start, alone, 5)
    assert_trees_close(member_of(five.params, 0), member_of(run.five.params, index))
    for term, value in terms.items():
        np.testing.assert_allclose(value[0], run.terms[term][index], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["dvae", "factor_vae"])
def test_initial_weights_depend_on_the_own_seed_only(name):
    run = trained(name)
    start = initial_state(of_member(run.group, slice(3, 4)))
    assert_trees_close(member_of(start.params, 0), member_of(run.start.params, 3), exactly=True)


@pytest.mark.parametrize("name", PENALISED)
def test_a_short_training_lowers_what_is_penalised(name):
    run, case = trained(name), CASES[METHODS[name].objective]
    state, _ = steps(run.ten, run.group, LONG - 60)
    _, terms = steps(state, run.group, 50)
    assert case.penalty is not None
    _, off, heavy, _ = case.penalty(terms)
    assert heavy < off - 0.1 * abs(off)


def test_the_discriminator_does_not_see_the_weight_of_the_penalty_in_one_step():
    """It learns from the codes of the pass before the update, so after one step gamma has not reached it."""
    run = trained("factor_dvae")
    state, terms = steps(run.start, run.group, 1)
    assert_trees_close(member_of(state.params.critic, 0), member_of(state.params.critic, 2), exactly=True)
    assert terms["discriminator_loss"][0] == terms["discriminator_loss"][2]
    assert 0 <= terms["discriminator_accuracy"][0] <= 1
    assert not np.array_equal(
        state.params.model.encoder.layers[0].weight[0], state.params.model.encoder.layers[0].weight[2]
    )


def test_the_first_step_samples_with_the_initial_noise_scale():
    """Step number t sees the scale of t - 1 (the authors' code)."""
    run = trained("dvae")
    _, first = steps(run.start, run.group, 1)
    _, sixth = steps(run.five, run.group, 1)
    np.testing.assert_allclose(first["noise_scale"], 0.5)
    np.testing.assert_allclose(sixth["noise_scale"], 1.25 - 0.75 * np.cos(np.pi * 5 / LONG), rtol=1e-6)


def test_gaussian_methods_sample_with_the_noise_of_their_posterior():
    """The schedule is for Gumbel noise; a Gaussian's standard deviation is not to be scaled."""
    for name in ("vae", "factor_vae"):
        run = trained(name)
        for state in (run.start, run.five):
            np.testing.assert_array_equal(steps(state, run.group, 1)[1]["noise_scale"], 1.0)


# -------------------------------------------------------------------------------------------- the table and its grids
def test_every_pair_that_goes_together_is_offered_once():
    offered = [(known.objective, known.latent) for known in METHODS.values() if not known.variant]
    fitting = {(o, l) for o in OBJECTIVES for l in LATENTS if not why_incompatible(LATENTS[l], OBJECTIVES[o])}
    assert set(offered) == fitting
    assert len(offered) == len(fitting)
    assert set(CASES) == set(OBJECTIVES)
    assert len({known.title for known in METHODS.values()}) == len(METHODS)


def test_a_pair_that_does_not_go_together_is_refused_by_what_is_missing():
    with pytest.raises(Error, match="'beta_vae' requires a latent with a KL divergence to a prior, and 'fsq' has not"):
        method("beta_vae+fsq")
    with pytest.raises(Error, match="with a KL divergence to a prior and a log density, and 'fsq' has not"):
        method("beta_tcvae+fsq")
    with pytest.raises(Error, match=r"'vae\+categorical' is called dvae"):
        method("vae+categorical")


def test_the_methods_page_lists_every_method():
    page = (Path(__file__).parents[1] / "docs" / "methods.md").read_text()
    assert [name for name in NAMED if f"`{name}`" not in page] == []
    assert [known.title for known in NAMED.values() if known.title not in page] == []


# The study of Locatello et al. (2019), as configured in disentanglement_lib.
STUDY = {
    "beta_vae": {"beta": (1, 2, 4, 6, 8, 16)},
    "annealed_vae": {"c_max": (5, 10, 25, 50, 75, 100)},
    "beta_tcvae": {"beta": (1, 2, 4, 6, 8, 10)},
    "dip_vae_i": {"lambda_od": (1, 2, 5, 10, 20, 50)},
    "dip_vae_ii": {"lambda_od": (1, 2, 5, 10, 20, 50)},
    "factor_vae": {"gamma": (10, 20, 30, 40, 50, 100)},
}
FIXED = {
    "annealed_vae": {"gamma": 1000.0, "iterations": 100_000.0},
    "dip_vae_i": {"lambda_d_factor": 10.0},
    "dip_vae_ii": {"lambda_d_factor": 1.0},
}


@pytest.mark.parametrize("name", NAMED)
def test_grids_are_those_of_the_study(name):
    chosen = METHODS[name]
    assert preset("paper", name) == STUDY.get(chosen.objective, {})
    for hyperparameter, value in FIXED.get(chosen.objective, {}).items():
        assert getattr(chosen.make_objective({}), hyperparameter) == value
    config = Config(data="circles", model=name, hyperparameters=preset("paper", name))
    assert len(config.members) == (6 if chosen.grid else 1)


def test_labels_add_the_weights_of_supervision():
    grid = preset("paper", "factor_dvae", supervised=True)
    assert grid["omega"] == (1, 2, 4, 6, 8, 16)
    assert len(Config(data="circles", model="factor_dvae", hyperparameters=grid, labels=100).members) == 36
    assert preset("paper", "vae", supervised=True) == {"omega": grid["omega"]}
    assert "paper" in PRESETS


def test_unknown_names_are_one_clear_line():
    with pytest.raises(Error, match="unknown preset 'papper'; did you mean 'paper'"):
        preset("papper", "vae")
    with pytest.raises(Error, match="unknown model 'd_vae'; did you mean"):
        method("d_vae")
    with pytest.raises(Error, match="β-VAE has no hyperparameter 'gamma'; it has: beta"):
        METHODS["beta_vae"].make_objective({"gamma": 1.0})
    with pytest.raises(Error, match="VAE has no hyperparameter 'gamma'; it has: none"):
        METHODS["vae"].make_objective({"gamma": 1.0})


def test_static_options_are_no_hyperparameters():
    """What changes the program cannot differ within a group."""
    assert METHODS["factor_dvae"].hyperparameters == {"gamma": 30.0}
