"""Refined decoders: what they leave as it was, what uses them, and that they are trained as they should be."""

import dataclasses
import shutil

import jax
import numpy as np
import pytest

import factorgrid as fg
from factorgrid import cli
from factorgrid.explorer.member_data import Shown, model_data
from factorgrid.files import read_arrays, write_arrays
from factorgrid.refinement import _group, larger_width
from factorgrid.selectors import Members, psnr
from factorgrid.training import Run, train
from factorgrid.training.state import initial_state
from factorgrid.training.step import views_of

OPTIONS = {"decoder": "mlp", "width": 48, "steps": 40, "learning_rate": 3e-3}


@pytest.fixture(scope="module")
def copied(tiny_run, tmp_path_factory) -> Run:
    """The tiny run in a folder of its own."""
    return fg.load_run(shutil.copytree(tiny_run.path, tmp_path_factory.mktemp("refined") / "run"))


@pytest.fixture(scope="module")
def refined(copied) -> Run:
    fg.refine(copied, **OPTIONS, quiet=True)
    return fg.load_run(copied.path)


@pytest.fixture(scope="module")
def images(tiny_run) -> np.ndarray:
    return tiny_run.dataset().draw(1000, 0)[0]


def leaves(tree) -> list[np.ndarray]:
    return [np.asarray(leaf) for leaf in jax.tree.leaves(tree)]


def test_the_encoder_and_all_codes_stay_bitwise_as_they_were(tiny_run, refined, images):
    for member in ("seed0", "seed1"):
        assert tiny_run.weights(member).read_bytes() == refined.weights(member).read_bytes()
        before, after = tiny_run.model(member), refined.model(member)
        assert after.refined == "mlp, width 48"
        for one, other in zip(leaves(before.autoencoder.encoder), leaves(after.autoencoder.encoder), strict=True):
            np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(before.encode(images), after.encode(images))
        np.testing.assert_array_equal(before.categorize(images), after.categorize(images))
        assert after.autoencoder.decoder.layers[0].weight.shape == (2, 48)
        assert not np.array_equal(before.decode(before.categorize(images)), after.reconstruct(images))


def test_scores_are_those_of_the_run_as_it_was_trained(tiny_run, refined):
    old, new = (run.scores.set_index(["member", "metric"])["value"] for run in (tiny_run, refined))
    fg.evaluate(refined, counts=fg.metrics.QUICK, gap_batches=2, jobs=1)
    again = refined.scores.set_index(["member", "metric"])["value"]
    np.testing.assert_array_equal(old, new)
    np.testing.assert_allclose(again.loc[old.index], old, rtol=1e-6)


def test_quality_is_of_pictures_from_categories_and_training_improves_it(refined, images):
    table = fg.refine(refined, **OPTIONS, quiet=True)  # finished: read again
    assert list(table["member"]) == ["seed0", "seed1"]
    own = dataclasses.replace(refined, refined=False)
    for row in table.to_dict("records"):
        for when, run in (("before", own), ("after", refined)):
            model = run.model(row["member"])
            decoded = model.decode(model.categorize(images))
            assert row[f"psnr_{when}"] == pytest.approx(psnr(images, decoded).mean(), rel=1e-6)
        assert row["psnr_after"] > row["psnr_before"]  # the tiny run itself has hardly been trained
        assert {"ssim_before", "ssim_after"} <= set(row)


def test_the_loss_is_that_of_pictures_decoded_from_categories(refined):
    """In NumPy, float64, at fresh weights."""
    run = dataclasses.replace(refined, refined=False)
    group = _trained_group(run)
    state = initial_state(group)
    batch = views_of(group, run.dataset(), state.step, 0)[0].images
    images = np.asarray(batch, np.float64)
    for member in (0, 1):
        decoder = jax.tree.map(lambda leaf, m=member: np.asarray(leaf[m], np.float64), state.params.model)
        model = run.model(member)
        x = np.linspace(-1, 1, 8)[model.categorize(np.asarray(batch))]
        for depth, layer in enumerate(decoder.layers):
            x = (np.maximum(x, 0) if depth else x) @ layer.weight + layer.bias
        logits = x.reshape(images.shape)
        expected = np.sum(np.logaddexp(0, logits) - logits * images) / len(images)
        assert _loss(group, state, batch, member) == pytest.approx(expected, rel=1e-4)


def _trained_group(run: Run):
    from factorgrid.method import Optimizer
    from factorgrid.models import Networks

    networks = Networks("mlp", run.shapes.image, width=48)
    return _group(Members(run, run.dataset()), ["seed0", "seed1"], networks, Optimizer(1e-3), 40, 64)


def _loss(group, state, batch, member: int) -> float:
    from factorgrid.datasets import Batch
    from factorgrid.method import Examples
    from factorgrid.training.weights import member_of

    method, params = member_of((group.method, state.params), member)
    examples = Examples((Batch(batch, np.zeros((len(batch), 0), np.int32)),))
    losses, _ = method.losses(params, None, examples, jax.random.key(0), state.step, 40)
    return float(losses["model"].total)


def test_interrupted_and_resumed_equals_never_stopped(copied, refined, tmp_path, monkeypatch):
    run = fg.load_run(shutil.copytree(copied.path, tmp_path / "run", ignore=shutil.ignore_patterns("refined")))
    from factorgrid.training import history

    class Stopped(Exception):
        pass

    def stop_after(self, state, step, *, last):
        if step >= 20:
            self._history.close_row(step)
            self._history.write()
            self._checkpoints.save(state)
            raise Stopped

    with monkeypatch.context() as patch:
        patch.setattr(history.Keeper, "keep", stop_after)
        with pytest.raises(Stopped):
            fg.refine(run, **OPTIONS, quiet=True)
    assert run.model("seed0").refined == ""
    with pytest.raises(fg.Error, match=r"another refinement \(width: 48 -> 32\); delete that folder"):
        fg.refine(run, **{**OPTIONS, "width": 32}, quiet=True)
    fg.refine(run, **OPTIONS, quiet=True)
    for member in ("seed0", "seed1"):
        one, other = (leaves(each.model(member).autoencoder.decoder) for each in (run, refined))
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)
    assert not (run.path / "refined" / "checkpoints").exists()


def test_pictures_use_it_and_say_so_unless_it_is_left_out(refined, tmp_path):
    from factorgrid.report.draw_traversals import draw_reconstructions
    from factorgrid.report.traversals import latent_traversals, reconstructions

    images = refined.dataset().draw(3, 0)[0]
    model, own = refined.model(0), fg.load_run(refined.path, refined=False).model(0)
    assert own.refined == ""
    shown = reconstructions(model, images, own)
    np.testing.assert_array_equal(shown.decoded, model.decode(model.categorize(images)))
    np.testing.assert_array_equal(shown.own, own.decode(own.categorize(images)))
    assert shown.rounded is None
    assert draw_reconstructions(shown, "title", tmp_path / "picture.png").exists()
    new, old = (latent_traversals(each, images) for each in (model, own))
    np.testing.assert_array_equal(new[0].values, old[0].values)
    assert np.abs(new[0].images - old[0].images).max() > 1e-3


def test_the_explorer_computes_by_it_and_says_so(refined, images):
    for run, words, width in ((refined, "nats, refined decoder (mlp, width 48)", 48), (None, "nats", 32)):
        run = dataclasses.replace(refined, refined=False) if run is None else run
        described = model_data(Shown(run, "seed0", run.model("seed0")), images[:2], images[:8])
        assert described["scores"].endswith(words)
        assert described["decoder"]["layers"][0]["output"] == (width,)


def test_a_gaussian_run_is_refined_on_its_means_and_one_member_can_be_chosen(tiny_config, tmp_path):
    run = train(dataclasses.replace(tiny_config, model="vae", steps=2), tmp_path / "run", quiet=True)
    table = fg.refine(run, "mlp", steps=4, members=[1], quiet=True)
    assert list(table["member"]) == ["seed1"]
    assert [run.model(place).refined for place in (0, 1)] == ["", "mlp, width 512"]
    images = run.dataset().draw(5, 0)[0]
    model = run.model(1)
    np.testing.assert_array_equal(model.reconstruct(images), model.decode(model.encode(images)))


@pytest.mark.parametrize("name", ["vq_vae_ema", "qvae"])
def test_every_kind_of_codebook_stays_as_it_was(name, tiny_config, tmp_path, images):
    config = dataclasses.replace(tiny_config, model=name, steps=2, seeds=(0,))
    run = train(config, tmp_path / "run", quiet=True)
    before = run.model(0)
    kept, codes = run.weights("seed0").read_bytes(), before.categorize(images)
    fg.refine(run, "mlp", width=16, steps=3, quiet=True)
    assert run.weights("seed0").read_bytes() == kept
    after = run.model(0)
    np.testing.assert_array_equal(after.categorize(images), codes)
    for one, other in zip(leaves(before.autoencoder.codebook), leaves(after.autoencoder.codebook), strict=True):
        np.testing.assert_array_equal(one, other)
    assert np.isfinite(after.reconstruct(images)).all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"decoder": "mpl"}, "unknown architecture 'mpl'; did you mean 'mlp'"),
        ({"decoder": "broadcast", "depth": 2}, "architecture 'broadcast' has no option 'depth'"),
        ({"steps": 0}, "steps must be at least 1"),
        ({"width": 0}, "width must be at least 1"),
        ({"learning_rate": -1.0}, "learning_rate must be a number above 0"),
        ({"members": []}, "no members are given; .* has: seed0, seed1"),
        ({"members": ["seed9"]}, "has no member 'seed9'"),
    ],
)
def test_what_users_get_wrong_leaves_nothing_behind(copied, tmp_path, wrong, message):
    run = fg.load_run(shutil.copytree(copied.path, tmp_path / "run", ignore=shutil.ignore_patterns("refined")))
    with pytest.raises(fg.Error, match=message):
        fg.refine(run, **wrong, quiet=True)
    assert not (run.path / "refined").exists()


def test_damage_is_named(refined, tmp_path):
    run = fg.load_run(shutil.copytree(refined.path, tmp_path / "run"))
    path = run.path / "refined" / "seed0.safetensors"
    arrays, metadata = read_arrays(path)
    write_arrays(path, arrays, {**metadata, "refined": "{}"})
    with pytest.raises(fg.Error, match=r"seed0.safetensors describes no decoder of this version"):
        run.model("seed0")
    path.write_bytes(b"damaged")
    with pytest.raises(fg.Error, match=r"seed0.safetensors is not a readable safetensors file"):
        run.model("seed0")


def test_a_model_that_is_exported_or_saved_takes_its_refined_decoder_along(refined, images, tmp_path):
    model, own = refined.model(1), dataclasses.replace(refined, refined=False)
    file = fg.load_model(fg.export(refined, 1, tmp_path / "model.safetensors"))
    folder = fg.from_pretrained(model.save_pretrained(tmp_path / "folder", half=False))
    for again in (file, folder):
        assert again.refined == model.refined
        np.testing.assert_array_equal(again.reconstruct(images[:9]), model.reconstruct(images[:9]))
    bare = fg.load_model(fg.export(own, 1, tmp_path / "own.safetensors"))
    own.model(1).save_pretrained(tmp_path / "folder", half=False)
    for again in (bare, fg.from_pretrained(tmp_path / "folder")):
        assert again.refined == ""
        np.testing.assert_array_equal(again.reconstruct(images[:9]), own.model(1).reconstruct(images[:9]))


def test_usual_widths_are_doubled():
    assert [larger_width(name) for name in ("convolutional", "broadcast", "mlp", "my:own")] == [64, 128, 512, None]


def test_the_command_says_before_and_after(copied, tmp_path, capsys):
    run = shutil.copytree(copied.path, tmp_path / "run", ignore=shutil.ignore_patterns("refined"))
    cli.main(["refine", str(run), "--decoder", "mlp", "--width", "16", "--steps", "3", "--member", "best", "--quiet"])
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("seed")
    assert "PSNR" in said[0]
    assert "SSIM" in said[0]
    assert said[2] == f"look at them: factorgrid traverse {run}"
