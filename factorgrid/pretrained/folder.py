"""Writing a trained model into a folder of its own, and reading it from there or from a hub."""

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np

from factorgrid import results
from factorgrid.config import Member
from factorgrid.errors import Error, first_line
from factorgrid.files import read_json, replacing, write_json
from factorgrid.models.trained import TrainedModel
from factorgrid.pretrained.card import make_card
from factorgrid.training import Run
from factorgrid.training.refined import ALONE as REFINED_ALONE
from factorgrid.training.refined import save_refined
from factorgrid.training.run import ALONE, FORMAT
from factorgrid.training.weights import save_weights

CONFIG, WEIGHTS, REFINED, CARD, SCORES = "config.json", ALONE, REFINED_ALONE, "README.md", "scores.parquet"
LARGEST_HALF = float(np.finfo(np.float16).max)


def save_pretrained(
    model: TrainedModel | Run, folder: str | Path, *, half: bool = True, licence: str = "", note: str = ""
) -> Path:
    """Write a model into a folder of its own: configuration, weights (safetensors), scores if it has any, a card.

    A refined decoder goes with it.

    The folder is what huggingface_hub uploads and downloads; `from_pretrained` reads it, and so does every command
    that takes a run.

    Args:
        model: of a run, or from `from_pretrained`; or a run of a single member.
        folder: a new one, or one that holds such a model already.
        half: 16-bit floats, half the bytes; computations stay in 32 bits.
        licence: an identifier such as "apache-2.0", for the card.
        note: a paragraph for the card.

    Returns:
        The folder.

    Raises:
        Error: a run of several members, a model that belongs to no run, weights that 16 bits cannot hold, or a folder
            that cannot be written.
    """
    if isinstance(model, Run):
        if len(model.members) > 1:
            raise Error(f"{model.path} has {len(model.members)} members; save one: run.best('mig') or run.model(0)")
        model = model.model(0)
    run, folder = model.run, Path(folder)
    if (folder / CONFIG).exists() and not (folder / WEIGHTS).exists():
        raise Error(f"{folder} holds a run, which a single model must not replace; give a folder of its own")
    if not isinstance(run, Run):
        raise Error("this model belongs to no run, so nothing says how it was made; save one from run.model(...)")
    member = next(one for one in run.members if one.name == model.member)
    kept, found = run.kept(member.name), run.refined_decoder(member.name, model.autoencoder.latent)
    if half:
        kept = jax.tree.map(_halved, kept)
        found = None if found is None else found._replace(decoder=jax.tree.map(_halved, found.decoder))
    described, scores = _described(run, member), [one for one in run.scores_of(member.name) if np.isfinite(one.value)]
    (folder / SCORES).unlink(missing_ok=True)  # of a model that was here before
    if scores:
        results.write(folder / SCORES, [replace(score, run=described["identity"]) for score in scores])
    write_json(folder / CONFIG, described)
    save_weights(folder / WEIGHTS, kept, {"run": described["identity"], "member": member.name, "format": FORMAT})
    (folder / REFINED).unlink(missing_ok=True)
    if found is not None:
        save_refined(folder / REFINED, found, {"run": described["identity"], "member": member.name})
    with replacing(folder / CARD) as temporary:
        text = make_card(described, scores, half=half, licence=licence, note=note)
        temporary.write_text(text, encoding="utf-8")
    return folder


def from_pretrained(
    source: str | Path, *, revision: str | None = None, cache_dir: str | Path | None = None, endpoint: str | None = None
) -> TrainedModel:
    """A model from a folder, or from a hub by its id.

    Args:
        source: a folder that `save_pretrained` wrote, or an id such as "somebody/dvae-dsprites" of a hub
            (needs `pip install 'factorgrid[hub]'`).
        revision: of the hub's repository: a branch, a tag or a commit.
        cache_dir: where downloads are kept; huggingface_hub's own folder by default.
        endpoint: of the hub; `HF_ENDPOINT`, else the public one, by default.

    Raises:
        Error: neither a folder nor an id that can be fetched, or files that are damaged.
    """
    folder = Path(source)
    if not (folder / CONFIG).exists():
        if folder.exists() or str(source).count("/") != 1:
            raise Error(f"{source} holds no model (no {CONFIG}), nor is it a hub's id such as somebody/name")
        folder = _download(str(source), revision, cache_dir, endpoint)
    if not (folder / WEIGHTS).exists():
        raise Error(f"{folder} holds no {WEIGHTS}; if it is a run, take a member of it: fg.load_run(...).model(0)")
    return Run.open(folder).model(0)


def _described(run: Run, member: Member) -> dict[str, Any]:
    """The run's own description, of this member alone."""
    alone = run.config.alone(member)
    changed = {"config": alone.to_json(), "identity": alone.identity, "members": [member.name]}
    return {**read_json(run.path / CONFIG), **changed}


def _halved(leaf: Any) -> np.ndarray:
    array = np.asarray(leaf)
    if array.dtype != np.float32:
        return array
    if np.abs(array).max(initial=0.0) > LARGEST_HALF:
        raise Error(f"a weight is {np.abs(array).max():g}, more than 16 bits can hold; use half=False")
    return array.astype(np.float16)


def _download(source: str, revision: str | None, cache_dir: str | Path | None, endpoint: str | None) -> Path:
    try:
        import huggingface_hub
    except ImportError:
        raise Error(f"'{source}' is no folder here; to fetch it from a hub: pip install 'factorgrid[hub]'") from None
    try:
        options = {"revision": revision, "cache_dir": cache_dir, "endpoint": endpoint}
        paths = [huggingface_hub.hf_hub_download(source, name, **options) for name in (CONFIG, WEIGHTS)]
        for name in (SCORES, REFINED):
            with contextlib.suppress(huggingface_hub.errors.EntryNotFoundError):  # a model need not have either
                huggingface_hub.hf_hub_download(source, name, **options)
    except Exception as error:  # every kind of network, name and rights error of the hub's client
        raise Error(f"cannot fetch '{source}' from the hub: {first_line(error)}") from None
    return Path(paths[0]).parent
