"""From a configuration to the group that it describes."""

from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp

from factorgrid.config import LEARNING_RATE, Config
from factorgrid.datasets import Dataset
from factorgrid.errors import Error
from factorgrid.latents import Latent
from factorgrid.latents.categorical import active_categories
from factorgrid.method import Method, Optimizer
from factorgrid.methods import OMEGA
from factorgrid.models import Networks
from factorgrid.objectives.supervision import Supervision, check_supervision
from factorgrid.training.state import Group

Tree = TypeVar("Tree")


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


def make_group(config: Config, shapes: Shapes) -> Group:
    """The group that `config` describes.

    Raises:
        Error: there are no factors to supervise or mask by, or more factors than latents.
    """
    members = config.members
    return Group(
        method=stack([make_method(config, shapes, member.hyperparameters) for member in members]),
        seeds=jnp.asarray([member.seed for member in members], jnp.int32),
        num_steps=config.steps,
        batch_size=config.batch_size,
        data_seed=config.data_seed,
    )


def make_method(config: Config, shapes: Shapes, hyperparameters: dict[str, float]) -> Method:
    """The method of one member."""
    named = config.method
    own = {name: value for name, value in hyperparameters.items() if name in named.hyperparameters}
    rate = hyperparameters.get(LEARNING_RATE, config.learning_rate)
    return Method(
        latent=make_latent(config, shapes, own),
        objective=named.make_objective(own),
        networks=Networks(config.architecture, shapes.image, config.init, config.width, config.depth),
        supervision=_supervision(config, shapes, hyperparameters.get(OMEGA, 1.0)),
        optimizer=Optimizer(rate, config.decay, config.clip_gradient),
        precision=config.precision,
    )


def make_latent(config: Config, shapes: Shapes, hyperparameters: dict[str, float]) -> Latent:
    """The latent of the configuration; with masked attention its active categories follow from the factor sizes.

    Each field of the latent is the member's hyperparameter of that name, else the configuration's, else its default.
    """
    kind = config.method.latent_class
    values = {name: getattr(config, name) for name in kind.__dataclass_fields__ if hasattr(config, name)}
    chosen: dict[str, Any] = {
        name: value for name, value in hyperparameters.items() if name in kind.__dataclass_fields__
    }
    latent: Any = kind(**{**values, **config.method.variant, **chosen})
    if not config.masked:
        return latent
    sizes = _sizes(config, shapes)
    everything = tuple(range(latent.num_categories))
    return latent.masked(
        tuple(
            active_categories(sizes[i], latent.num_categories, config.spacing) if i < len(sizes) else everything
            for i in range(latent.num_latents)
        )
    )


def stack(trees: list[Tree]) -> Tree:
    """Hyperparameters of all members as float32 arrays with a leading member axis."""
    return jax.tree.map(lambda *values: jnp.asarray(values, jnp.float32), *trees)


def _supervision(config: Config, shapes: Shapes, omega: float) -> Supervision | None:
    kind = config.supervision_kind
    if kind is None:
        return None
    sizes = _sizes(config, shapes)
    check_supervision(kind, config.method.latent_class, sizes, config.num_latents)
    return Supervision(omega, kind, sizes, config.reduction, config.spacing)


def _sizes(config: Config, shapes: Shapes) -> tuple[int, ...]:
    if shapes.factors is None:
        raise Error(f"data set '{config.data}' has no factors, so labels and masked attention have nothing to go by")
    return shapes.factors
