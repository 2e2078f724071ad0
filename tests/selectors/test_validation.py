"""Validation on held-out labels: the supervised term per image, by hand, whatever the reduction in training."""

import dataclasses
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit

from factorgrid.datasets.rendered.circles import sized_circles
from factorgrid.errors import Error
from factorgrid.selectors import supervised_validation
from factorgrid.training import Config
from factorgrid.training.groups import Shapes, make_group
from factorgrid.training.labelled import labelled_sets
from factorgrid.training.state import initial_state

DATA = sized_circles(image_size=12)
SMALL: dict[str, Any] = {
    "data": "circles", "model": "vae", "architecture": "mlp", "num_latents": 3, "seeds": (0, 1), "labels": 40,
}  # fmt: skip


def with_supervision(group, supervision):
    return dataclasses.replace(group, method=dataclasses.replace(group.method, supervision=supervision))


def test_it_is_the_mean_over_held_out_images_for_both_reductions():
    config = Config(**SMALL)
    group, (_, held_out) = make_group(config, Shapes.of(DATA)), labelled_sets(config, DATA)
    state = initial_state(group)
    found = supervised_validation(state, group, held_out)["validation_loss"]
    assert held_out.factors.shape == (4, 2)
    for member in range(2):
        x = np.asarray(held_out.images, np.float64).reshape(4, -1)
        for depth, layer in enumerate(state.params.model.encoder.layers):
            x = (x if depth == 0 else np.maximum(x, 0)) @ np.asarray(layer.weight[member]) + np.asarray(
                layer.bias[member]
            )
        logit, target = x[:, :2], np.asarray(held_out.factors) / 20  # the means, tied to x and y of 20 bins each
        per_image = -np.sum(target * np.log(expit(logit)) + (1 - target) * np.log(expit(-logit)), axis=1)
        assert found[member] == pytest.approx(per_image.mean(), rel=1e-5)
    supervision = dataclasses.replace(group.method.supervision, reduction="mean")
    as_mean = with_supervision(group, supervision)
    np.testing.assert_allclose(supervised_validation(state, as_mean, held_out)["validation_loss"], found, rtol=1e-6)


def test_without_held_out_labels_it_says_so():
    config = Config(**SMALL)
    group, (train, held_out) = make_group(config, Shapes.of(DATA)), labelled_sets(config, DATA)
    state = initial_state(group)
    with pytest.raises(Error, match="trained without labels"):
        supervised_validation(state, with_supervision(group, None), held_out)
    few = dataclasses.replace(config, labels=5)
    assert [len(part.images) for part in labelled_sets(few, DATA)] == [5, 0]
    with pytest.raises(Error, match="too few to hold any out; use 10 or more"):
        supervised_validation(state, group, type(train)(train.images[:0], jnp.zeros((0, 2), jnp.int32)))
