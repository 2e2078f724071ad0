"""The card of a model: what it is, how it was made, how good it is, how to use it and how to make it again."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from factorgrid.config import Config
from factorgrid.methods import method
from factorgrid.results import Result

FENCE = "---\n"  # around the lines for a hub
PLACE = "this folder, or its id on a hub"
SPECIAL = (
    "data",
    "model",
    "seeds",
    "hyperparameters",
    "data_options",
)  # fields of a configuration said in their own way


def make_card(described: Mapping[str, Any], scores: Sequence[Result], *, half: bool, licence: str, note: str) -> str:
    """Markdown with the front matter that hubs read.

    Args:
        described: the content of the folder's `config.json`.
        scores: of the member.
        half: whether the weights have 16 bits.
        licence: an identifier, or "".
        note: a paragraph, or "".
    """
    config = Config.from_json(described["config"])
    title = f"{'masked ' if config.masked else ''}{method(config.model).title} on {described['data']['name']}"
    facts = {
        "data": _data(described["data"]),
        "training": f"{config.steps:,} steps of {config.batch_size} images, seed {config.seeds[0]}",
        "labels": f"{config.labels:,}, seed {config.label_seed}" if config.labels else "none",
        "made": f"{described['created'][:10]}, {described['hardware']['cpu']}, {_versions(described['versions'])}",
        "weights": f"{'16' if half else '32'}-bit floats, safetensors",
        "licence": licence or "not stated",
    }
    front = ["library_name: factorgrid", "tags: [disentanglement, variational-autoencoder, jax]"]
    return "\n".join(
        [
            "---",
            *([f"license: {licence}"] if licence else []),
            *front,
            "---",
            f"# {title}",
            "",
            *([note, ""] if note else []),
            "| | |",
            "| --- | --- |",
            *(f"| {name} | {value} |" for name, value in facts.items()),
            "",
            "## Scores",
            "",
            *_scores(scores),
            "",
            "## Use",
            "",
            "```python",
            "import factorgrid as fg",
            "",
            f'model = fg.from_pretrained("{PLACE}")',
            "codes = model.encode(images)",
            "```",
            "",
            "## Make it again",
            "",
            "```",
            command(config),
            "```",
            "",
            f"Member `{described['members'][0]}` of that run. Rounding differs between processors, and so do weights.",
            "",
        ]
    )


def command(config: Config) -> str:
    """The command line that trains a configuration of one seed (as the last of a group if it is not the first)."""
    given = {"data": config.data, "model": config.model, "seeds": config.seeds[-1] + 1, "steps": config.steps}
    own = {name: value for name, value in config.to_json().items() if name not in (*SPECIAL, "steps")}
    plain = Config(config.data, config.model).to_json()
    given |= {name: value for name, value in own.items() if value != plain.get(name)}
    given |= {name: values[0] for name, values in config.hyperparameters.items()}
    given |= {name: str(value) for name, value in config.data_options.items()}  # each takes a value
    return " ".join(["factorgrid train", *(_flag(name, value) for name, value in given.items())])


def _flag(name: str, value: Any) -> str:
    flag = f"--{name.replace('_', '-')}"
    if value is True:
        return flag
    if isinstance(value, list | tuple):
        return " ".join([flag, *map(str, value)])
    return f"{flag} {shlex.quote(str(value))}"


def _data(data: Mapping[str, Any]) -> str:
    height, width, channels = data["image_shape"]
    factors = ", ".join(f"{name} {size}" for name, size in data["factors"] or [])
    about = f"; factors (values): {factors}" if factors else ""
    return f"`{data['name']}`, {height} × {width} × {channels}{about}"


def _versions(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {versions[name]}" for name in ("factorgrid", "jax") if name in versions)


def _scores(scores: Sequence[Result]) -> list[str]:
    if not scores:
        return ["Not scored."]
    rows = [f"| {score.metric} | {score.value:.4g} | {_settings(score.provenance)} |" for score in scores]
    return ["| score | value | measured with |", "| --- | --- | --- |", *rows]


def _settings(settings: Mapping[str, Any]) -> str:
    shown = {name: value for name, value in settings.items() if name != "higher_is_better"}
    better = "higher is better" if settings.get("higher_is_better", True) else "lower is better"
    return ", ".join([better, *(f"{name.replace('_', ' ')} {value}" for name, value in shown.items())])
