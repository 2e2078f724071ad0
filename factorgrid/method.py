"""What a method is: one value that makes its parameters, draws its batches, gives its losses and has its optimisers.

The trainer knows nothing else. A method is a pytree; its leaves are hyperparameters and may differ between the members
of a group, its static fields make the program. One gradient of the sum of its losses trains every part of its
parameters: a critic's loss stops the gradient into the model, the model's loss stops it into the critic.
"""

from typing import Any, NamedTuple, Protocol, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, Key

from factorgrid.datasets import Batch, DeviceDataset
from factorgrid.latents import Latent
from factorgrid.latents.abilities import Probabilistic, lacking
from factorgrid.layers.product import products_in
from factorgrid.models import Autoencoder, Forward, Kind, Networks, Weights
from factorgrid.objectives import Context, Loss, Objective
from factorgrid.objectives.supervision import Supervision

WEIGHTS, NOISE, CRITIC, DATA = range(4)  # what a key is for
MAX_PROBABILITY = "max_probability"  # a term: of the likeliest category, mean over images and latents; 1 is one-hot


class Params(NamedTuple):
    """Everything that is learned by gradient, in parts with an optimiser each; None for parts that a method lacks.

    Attributes:
        model: encoder, decoder, and the latent's codebook.
        critic: the objective's own network.
        head: what supervision learns.
    """

    model: Weights
    critic: Any = None
    head: Any = None


class Memory(NamedTuple):
    """Everything that is updated without a gradient, in parts; None where there is nothing."""

    latent: Any = None
    objective: Any = None


class Labelled(NamedTuple):
    """A labelled set; a label of -1 is unknown."""

    images: Float[Array, "sample height width channel"]
    factors: Int[Array, "sample factor"]


class Examples(NamedTuple):
    """What one step sees.

    Attributes:
        views: a batch for each image of an example; most objectives have one.
        labelled: the labelled images of the step, or None.
    """

    views: tuple[Batch, ...]
    labelled: Labelled | None = None


CRITIC_BETAS = (0.5, 0.9)  # of the discriminator's Adam, as in the paper's code


class Optimizer(eqx.Module):
    """Adam, or AdamW where there is decay.

    Attributes:
        learning_rate: may differ between members.
        decay: of AdamW, on weights and not on biases or codebooks; 0 for Adam.
        clip: every element of a gradient is cut to [-clip, clip] first; None for no cut.
        b1, b2: how slowly Adam forgets.
    """

    learning_rate: Float[Array, "*member"] | float = 1e-4
    decay: float = eqx.field(static=True, default=0.0)
    clip: float | None = eqx.field(static=True, default=None)
    b1: float = eqx.field(static=True, default=0.9)
    b2: float = eqx.field(static=True, default=0.999)

    def make(self) -> optax.GradientTransformation:
        parts = [] if self.clip is None else [optax.clip(self.clip)]
        if self.decay:
            parts.append(optax.adamw(self.learning_rate, self.b1, self.b2, weight_decay=self.decay, mask=_weights_only))
        else:
            parts.append(optax.adam(self.learning_rate, self.b1, self.b2))
        return optax.chain(*parts) if len(parts) > 1 else parts[0]


@runtime_checkable
class Trainable(Protocol):
    """All that the trainer knows of what it trains; see `Method`. Leaves of the pytree may differ between members."""

    @property
    def views(self) -> int: ...

    @property
    def precision(self) -> str: ...

    def init(self, key: Key[Array, ""]) -> tuple[Params, Any]: ...

    def optimizers(self) -> Params: ...

    def draw(self, dataset: DeviceDataset, key: Key[Array, ""], num: int) -> tuple[Batch, ...]: ...

    def losses(
        self, params: Params, memory: Any, examples: Examples, key: Key[Array, ""], step: Int[Array, ""], num_steps: int
    ) -> tuple[dict[str, Loss], Any]: ...


class Method(eqx.Module):
    """A latent, an objective, networks, supervision and optimisers.

    Attributes:
        supervision: the supervised term, or None.
        optimizer: of the model; the critic's and the head's have its learning rate.
        precision: of products, a name of `PRECISIONS`, in training and in scoring.
    """

    latent: Latent
    objective: Objective
    networks: Networks = eqx.field(static=True)
    supervision: Supervision | None = None
    optimizer: Optimizer = Optimizer()
    precision: str = eqx.field(static=True, default="tf32")

    @property
    def views(self) -> int:
        """How many images make an example."""
        return self.objective.views

    def init(self, key: Key[Array, ""]) -> tuple[Params, Memory]:
        """Fresh parameters and memory of one member, from its own key."""
        key_model, key_critic = jax.random.split(purpose_key(key, WEIGHTS, 0))
        critic = self.objective.init_critic(key_critic, self.latent)
        head = None if self.supervision is None else self.supervision.init_head()
        memory = Memory(
            self.latent.init_memory(jax.random.fold_in(key_model, 4)), self.objective.init_memory(self.latent)
        )
        return Params(self.networks.build(self.latent, key_model), critic, head), memory

    def optimizers(self) -> Params:
        """The optimiser of each part. The discriminator's Adam forgets faster."""
        rate = self.optimizer.learning_rate
        return Params(
            self.optimizer.make(),
            Optimizer(rate, b1=CRITIC_BETAS[0], b2=CRITIC_BETAS[1]).make(),
            Optimizer(rate).make(),
        )

    def autoencoder(self, params: Params, memory: Memory) -> Autoencoder:
        """The model that these parameters make."""
        weights = params.model
        codebook = self.latent.codebook(weights.codebook, memory.latent)
        return Autoencoder(weights.encoder, weights.decoder, self.latent, codebook, self.precision)

    def draw(self, dataset: DeviceDataset, key: Key[Array, ""], num: int) -> tuple[Batch, ...]:
        """`num` examples of the training stream: a batch for each view."""
        return self.objective.draw(dataset, key, num)

    def losses(
        self,
        params: Params,
        memory: Memory,
        examples: Examples,
        key: Key[Array, ""],
        step: Int[Array, ""],
        num_steps: int,
    ) -> tuple[dict[str, Loss], Memory]:
        """The losses of one member by name, to be summed and differentiated once, and the new memory.

        Args:
            params, memory: of the member.
            examples: what the step sees.
            key: the member's own; chance of a step follows from it, the step and the purpose.
            step, num_steps: finished steps, and those of the whole training.

        Returns:
            {"model": ...}, with "critic" if there is one. Their terms are what people look at.
        """
        with products_in(self.precision):
            model = self.autoencoder(params, memory)
            scale = self.latent.noise_at(step, num_steps)
            passes = self._passes(model, examples.views, self.objective.passes, purpose_key(key, NOISE, step), scale)
            context = Context(model, params.critic, purpose_key(key, CRITIC, step), step, num_steps, memory.objective)
            loss = self.model_loss(passes, examples.views, context)
            if self.supervision is not None and examples.labelled is not None:
                supervised = self.supervision.loss(model, params.head, *examples.labelled)
                loss = Loss(loss.total + self.supervision.omega * supervised, {**loss.terms, "supervised": supervised})
            terms = {"loss": loss.total, **loss.terms, "noise_scale": scale}
            if isinstance(passes[0].posterior, Probabilistic):
                terms[MAX_PROBABILITY] = jnp.exp(passes[0].posterior.log_probabilities().max(axis=-1)).mean()
            losses = {"model": Loss(loss.total, terms)}
            if params.critic is not None:
                losses["critic"] = self.objective.critic_loss(passes, context)
            new = Memory(
                self.latent.update(memory.latent, passes[0].posterior), self.objective.update(memory.objective, passes)
            )
            return losses, new

    def model_loss(self, passes: tuple[Forward, ...], views: tuple[Batch, ...], context: Context) -> Loss:
        """The objective's loss with the latent's own terms; supervision is left out."""
        loss = self.objective.loss(passes, views, context)
        own = [self.latent.terms(each.posterior) for each in passes]
        sums = {name: jnp.asarray(sum(terms[name] for terms in own)) for name in own[0]}
        return Loss(sum(sums.values(), loss.total), {**loss.terms, **sums})

    def loss_of_passes(
        self, params: Params, memory: Memory, views: tuple[Batch, ...], kind: Kind, key: Key[Array, ""],
        step: Int[Array, ""], num_steps: int,
    ) -> Loss:  # fmt: skip
        """`model_loss` of passes whose choices are made as asked: what selectors compare."""
        with products_in(self.precision):
            model = self.autoencoder(params, memory)
            passes = self._passes(model, views, kind, key, 1.0)
            context = Context(model, params.critic, purpose_key(key, CRITIC, step), step, num_steps, memory.objective)
            return self.model_loss(passes, views, context)

    def _passes(
        self, model: Autoencoder, views: tuple[Batch, ...], kind: Kind, key: Key[Array, ""], scale: Any
    ) -> tuple[Forward, ...]:
        keys = [key, *(jax.random.fold_in(key, view) for view in range(1, len(views)))]
        return tuple(model.forward(batch.images, kind, own, scale) for batch, own in zip(views, keys))


def purpose_key(key: Key[Array, ""], purpose: int, step: Int[Array, ""] | int) -> Key[Array, ""]:
    """The key for one purpose (`WEIGHTS`, `NOISE`, `CRITIC`, `DATA`) at one step, from a member's own."""
    return jax.random.fold_in(jax.random.fold_in(key, purpose), step)


def why_incompatible(latent: type[Latent], objective: type[Objective]) -> str:
    """What the objective requires and the latent has not, in words; "" if they go together."""
    return " and ".join(lacking(latent, objective.requires))


def _weights_only(params: Any) -> Any:
    """True for arrays called "weight": neither biases nor codebooks decay."""
    return jax.tree_util.tree_map_with_path(lambda path, leaf: getattr(path[-1], "name", "") == "weight", params)
