"""One trained model in one file that says what it is: weights with configuration and card, in safetensors.

The metadata of the file holds, as text: `format`; `config` (JSON: the configuration of this member alone); `shapes`
(JSON: of the images, and sizes of the factors); `card` (JSON: what a person should know of the model); `refined` (JSON:
the networks of its refined decoder, if it has one). Any program that reads safetensors reads it.
"""

import json
from pathlib import Path
from typing import Any

from factorgrid.config import Config
from factorgrid.errors import Error
from factorgrid.files import read_arrays, read_json
from factorgrid.models.trained import TrainedModel
from factorgrid.training.groups import Shapes, make_group
from factorgrid.training.refined import ARRAYS, load_refined
from factorgrid.training.run import DESCRIBED, Run, shapes_of_member
from factorgrid.training.weights import load_weights, member_of, save_weights

FORMAT = "factorgrid-model-1"


def export(run: Run | str | Path, member: str | int, path: str | Path) -> Path:
    """Write one member of a trained run to a single file, which `load_model` reads; with its refined decoder, if any.

    Args:
        run: a trained run, or its folder.
        member: a name, or a place in the list.
        path: the file, such as "model.safetensors".

    Raises:
        Error: no such member, training has not finished, or the file cannot be written.
    """
    run, path = run if isinstance(run, Run) else Run.open(run), Path(path)
    if path.suffix != ".safetensors":
        raise Error(f"{path} should end in .safetensors")
    chosen = run.member(member)
    metadata = {
        "format": FORMAT,
        "config": json.dumps(run.config.alone(chosen).to_json(), sort_keys=True),
        "shapes": json.dumps({"image": run.shapes.image, "factors": run.shapes.factors}),
        "card": json.dumps(card(run, chosen.name), sort_keys=True),
    }
    weights = load_weights(run.weights(chosen.name), shapes_of_member(run.config, run.shapes))
    found = run.refined_decoder(chosen.name, member_of(run.group().method, run.members.index(chosen)).latent)
    if found is not None:
        weights, metadata = {**weights, ARRAYS: found.decoder}, {**metadata, **found.metadata}
    save_weights(path, weights, metadata)
    return path


def card(run: Run, member: str) -> dict[str, Any]:
    """What a person should know of a model: what it was trained on, when, with what, and how it scores."""
    described = read_json(run.path / "config.json", DESCRIBED)
    return {
        "title": f"{run.config.method.title} on {Path(run.config.data).name}",
        "member": member,
        "run": run.config.identity,
        "source": run.config.method.source,
        "data": described["data"],
        "trained": described.get("created", "unknown"),
        "versions": described.get("versions", {}),
        "scores": {row.metric: row.value for row in run.scores_of(member)},
    }


def load_model(path: str | Path) -> TrainedModel:
    """The model in a file that `export` wrote. Nothing else is needed: no run, no data.

    Raises:
        Error: missing, damaged, or a file of another kind.
    """
    path = Path(path)
    metadata = read_model_metadata(path)
    config, shapes = metadata["config"], metadata["shapes"]
    kept = load_weights(path, shapes_of_member(config, shapes))
    method = member_of(make_group(config, shapes).method, 0)
    inner, found = method.autoencoder(kept["params"], kept["memory"]), load_refined(path, method.latent)
    if found is None:
        return TrainedModel(inner, shapes.image)
    return TrainedModel(found.decoding(inner), shapes.image, refined=found.words)


def read_model_metadata(path: Path) -> dict[str, Any]:
    """What such a file says of itself: `config` (a `Config`), `shapes` (`Shapes`) and `card`.

    Raises:
        Error: see `load_model`.
    """
    _, metadata = read_arrays(path)
    if metadata.get("format") != FORMAT:
        raise Error(f"{path} is no exported model ({FORMAT}); make one with: factorgrid export RUN --out {path}")
    try:
        shapes = json.loads(metadata["shapes"])
        height, width, channels = shapes["image"]
        factors = None if shapes["factors"] is None else tuple(shapes["factors"])
        return {
            "config": Config.from_json(json.loads(metadata["config"])),
            "shapes": Shapes((height, width, channels), factors),
            "card": json.loads(metadata["card"]),
        }
    except (Error, KeyError, TypeError, ValueError) as error:
        raise Error(f"{path} describes no model of this version: {error}") from None
