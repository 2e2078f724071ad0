"""From a configuration to what the compiled step needs: the recipe, and the labelled set."""

from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from factorgrid.datasets import Dataset
from factorgrid.errors import Error
from factorgrid.latents import Categorical, Gaussian, Latent
from factorgrid.latents.categorical import active_categories
from factorgrid.methods import method
from factorgrid.objectives import Objective
from factorgrid.objectives.supervision import Supervision, check_supervision
from factorgrid.training.config import OMEGA, Config
from factorgrid.training.state import Labelled, Recipe

Tree = TypeVar("Tree")
TRAIN_SHARE = 0.9
GAUSSIAN_NOISE = (1.0, 1.0)  # the schedule is the Gumbel noise's; a Gaussian sample has its own standard deviation


class Shapes(NamedTuple):
    """What a configuration needs to know of its data to lay out its networks.

    Attributes:
        image: (height, width, channel).
        factors: sizes of the factors, or None if none are known.
    """

    image: tuple[int, int, int]
    factors: tuple[int, ...] | None

    @staticmethod
    def of(dataset: Dataset) -> "Shapes":
        return Shapes(dataset.image_shape, None if dataset.space is None else dataset.space.sizes)


def make_recipe(config: Config, shapes: Shapes) -> Recipe:
    """The recipe that `config` describes.

    Raises:
        Error: there are no factors to supervise or mask by, or more factors than latents.
    """
    members = config.members
    return Recipe(
        objective=stack([_objective(config, member.hyperparameters) for member in members]),
        supervision=_supervision(config, shapes),
        seeds=jnp.asarray([member.seed for member in members], jnp.int32),
        latent=make_latent(config, shapes),
        image_shape=shapes.image,
        architecture=config.architecture,
        init=config.init,
        num_steps=config.steps,
        batch_size=config.batch_size,
        noise_scale=config.noise_scale if config.discrete else GAUSSIAN_NOISE,
        learning_rate=config.learning_rate,
        data_seed=config.data_seed,
        precision=config.precision,
    )


def make_latent(config: Config, shapes: Shapes) -> Latent:
    """The latent of the configuration; with masked attention its active categories follow from the factor sizes."""
    if not config.discrete:
        return Gaussian(config.num_latents)
    active = None
    if config.masked:
        sizes = _sizes(config, shapes)
        everything = tuple(range(config.num_categories))
        active = tuple(
            active_categories(sizes[i], config.num_categories, config.spacing) if i < len(sizes) else everything
            for i in range(config.num_latents)
        )
    return Categorical(config.num_latents, config.num_categories, config.temperature, active)


def stack(trees: list[Tree]) -> Tree:
    """Hyperparameters of all members as float32 arrays with a leading member axis."""
    return jax.tree.map(lambda *values: jnp.asarray(values, jnp.float32), *trees)


def labelled_sets(config: Config, dataset: Dataset) -> tuple[Labelled, Labelled] | None:
    """The labelled images of `label_seed` in their order: the first 90 % (rounded up) to train, the rest to validate.

    The same for all members, whatever their seed. Of a user's partly labelled images only those with a label count.

    Raises:
        Error: the data set has no labels.
    """
    if not config.labels:
        return None
    _sizes(config, Shapes.of(dataset))
    images, factors = [], []
    found, seed = 0, config.label_seed
    while found < config.labels:
        drawn, labels = dataset.draw(config.labels, seed=(0x1ABE1 + seed) % 2**31)
        some = (labels >= 0).any(axis=1)
        if not some.any():
            raise Error(f"among {config.labels} images of '{config.data}' none has a label")
        images.append(drawn[some])
        factors.append(labels[some])
        found, seed = found + int(some.sum()), seed + 1_000_003
    chosen = jnp.asarray(np.concatenate(images)[: config.labels])
    known = jnp.asarray(np.concatenate(factors)[: config.labels], jnp.int32)
    num_train = int(np.ceil(TRAIN_SHARE * config.labels))
    return Labelled(chosen[:num_train], known[:num_train]), Labelled(chosen[num_train:], known[num_train:])


def _objective(config: Config, hyperparameters: dict[str, float]) -> Objective:
    own = {name: value for name, value in hyperparameters.items() if name != OMEGA}
    return method(config.model).make_objective(own)


def _supervision(config: Config, shapes: Shapes) -> Supervision | None:
    kind = config.supervision_kind
    if kind is None:
        return None
    sizes = _sizes(config, shapes)
    check_supervision(kind, method(config.model).latent, sizes, config.num_latents)
    omegas = [member.hyperparameters.get(OMEGA, 1.0) for member in config.members]
    return stack([Supervision(omega, kind, sizes, config.reduction, config.spacing) for omega in omegas])


def _sizes(config: Config, shapes: Shapes) -> tuple[int, ...]:
    if shapes.factors is None:
        raise Error(f"data set '{config.data}' has no factors, so labels and masked attention have nothing to go by")
    return shapes.factors
