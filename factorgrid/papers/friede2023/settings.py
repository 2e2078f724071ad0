"""Tables 2 to 4 and 8: networks, hyperparameters and factors, made from what a study trained, beside the paper's rows.

The numbers in the paper's tables of networks and factors are not legible in the text that this library was made from;
its column shows what is: which layers follow each other. Table 4's values are those of the paper's code.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import equinox as eqx
import jax

from factorgrid import datasets
from factorgrid.config import Config
from factorgrid.datasets import Dataset
from factorgrid.errors import Error, first_line
from factorgrid.latents.abilities import Discrete, has
from factorgrid.latents.categorical import Categorical
from factorgrid.layers import Conv, ConvTranspose, Dense
from factorgrid.method import CRITIC_BETAS, Method
from factorgrid.methods import OMEGA
from factorgrid.papers.friede2023.methods import title_of
from factorgrid.papers.friede2023.published import SETTINGS, STEPS, is_twin
from factorgrid.report.study_cells import Cells
from factorgrid.report.table_files import Table
from factorgrid.report.values import Absent, Cell, Number, distinct
from factorgrid.training.groups import Shapes, make_method

NO_CONFIGS = "this study does not say how its groups are trained"
PART_ROWS = {  # the paper's rows: Table 2, and Table 3 for the discriminator and the decoder of Circles
    "encoder": "4 x Conv, 2 x FC",
    "decoder": "2 x FC, 4 x DeConv",
    "broadcast decoder": "tile, coordinate channels, 3 x Conv",
    "discriminator": "6 x FC with leaky ReLU, FC",
}
FACTORS = {  # Table 8, by the names of our data sets
    "dsprites": "Shape, Scale, Orientation, X-Position, Y-Position",
    "color_dsprites": "Shape, Scale, Orientation, X-Position, Y-Position, Color (uniform)",
    "smallnorb": "Category, Elevation, Azimuth, Lighting condition",
    "cars3d": "Elevation, Azimuth, Object type",
    "shapes3d": "Floor color, Wall color, Object color, Object size, Object type, Azimuth",
    "mpi3d_toy": "Object color, Object shape, Object size, Camera height, Background colors, First DOF, Second DOF",
    "circles": "X-Position, Y-Position (uniform)",
}


def networks_table(cells: Cells) -> Table | Absent:
    """Tables 2 and 3: a row for each different network of the study."""
    configs = cells.outcome.configs
    if not configs:
        return Absent(NO_CONFIGS)
    found: dict[tuple[str, str, str], tuple[Cell, int, list[str]]] = {}
    notes = []
    loaded = _datasets(cells)
    for group in cells.outcome.groups:
        config, data = configs[group.name], loaded[group.data]
        if isinstance(data, Absent):
            notes.append(f"{group.data}: {data.reason}")
            continue
        size = "{} x {} x {}".format(*data.image_shape)
        for part, layers, num in _networks(config, Shapes.of(data)):
            *_, users = found.setdefault((part, size, layers), (_paper_row(config, part), num, []))
            users.append(title_of(group.kind))
    if not found:
        return Absent("; ".join(distinct(notes)))
    rows: list[Mapping[str, Cell]] = [
        {"network": part, "of": ", ".join(distinct(users)), "images": size, "layers": layers,
         "parameters": f"{num:,}", "paper": paper}
        for (part, size, layers), (paper, num, users) in found.items()
    ]  # fmt: skip
    caption = (
        "Layers in order, read off the networks that were trained: kernel, stride, channels or units of the output. "
        "ReLU between layers, leaky ReLU in the discriminator. Paper: the rows of its Tables 2 and 3."
    )
    return Table(rows, list(rows[0]), caption, distinct(notes))


def hyperparameters_table(cells: Cells) -> Table | Absent:
    """Table 4, with the values that this study used."""
    outcome = cells.outcome
    if not outcome.configs:
        return Absent(NO_CONFIGS)
    configs = [outcome.configs[group.name] for group in outcome.groups]
    discrete = [one for one in configs if has(one.method.latent_class, Discrete)]
    sampled = [one for one in discrete if one.method.latent_class is Categorical]
    methods = [_method(one) for one in configs]
    critics = [one for one in methods if _has_critic(one)]
    labelled = [one for one in configs if one.labels]
    adam = [one.optimizer for one in methods]
    circles = [one for one in configs if one.data == "circles"]
    others = [one for one in configs if one.data != "circles"]
    rows = [
        ("decoder type", "", "Bernoulli", "Bernoulli"),
        ("batch size", "", SETTINGS["batch size"], _values(one.batch_size for one in configs)),
        ("latent dimensions", "", "10", _values(one.num_latents for one in others)),
        ("optimiser", "", "Adam", _values("AdamW" if one.decay else "Adam" for one in configs)),
        ("Adam: β1, β2", "", "0.9, 0.999", _values(f"{one.b1:g}, {one.b2:g}" for one in adam)),
        ("learning rate", "", SETTINGS["learning rate"], _values(f"{one.learning_rate:g}" for one in configs)),
        ("training steps", "", f"{STEPS:,}", _values(f"{one.steps:,}" for one in configs)),
        ("latent dimensions", "Circles", "2", _values(one.num_latents for one in circles)),
        ("categories", "discrete", SETTINGS["num categories"], _values(one.num_categories for one in discrete)),
        ("Gumbel scale at the first step", "discrete", "0.5", _values(f"{one.noise_scale[0]:g}" for one in sampled)),
        ("Gumbel scale at the last step", "discrete", "2", _values(f"{one.noise_scale[1]:g}" for one in sampled)),
        ("temperature", "discrete", "1", _values(f"{one.temperature:g}" for one in sampled)),
        ("discriminator's Adam: β1, β2", "TC regularising", "0.5, 0.9", _values(
            "{:g}, {:g}".format(*CRITIC_BETAS) for _ in critics)),
        ("γ", "TC regularising", "six values", _grid(configs, "gamma")),
        ("ω", "semi-supervised", "values not legible", _grid(labelled, OMEGA, default=1.0)),
    ]  # fmt: skip
    columns = ["parameter", "model", "paper", "this study"]
    caption = "A dash: nothing in this study has it. The paper's values are those of its code."
    return Table([dict(zip(columns, row)) for row in rows], columns, caption)


def factors_table(cells: Cells) -> Table | Absent:
    """Table 8: the factors of every data set of the study, and how many values each has."""
    configs = cells.outcome.configs
    if not configs:
        return Absent(NO_CONFIGS)
    rows: list[Mapping[str, Cell]] = []
    notes = []
    for name, data in _datasets(cells).items():
        if isinstance(data, Absent):
            notes.append(f"{name}: {data.reason}")
            continue
        paper = FACTORS.get(name.removesuffix("_twin") if is_twin(name) else name, "")
        for place, (factor, size) in enumerate(
            zip(*((data.space.names, data.space.sizes) if data.space else ((), ())))
        ):
            rows.append(
                {"data set": name if not place else "", "factor": factor, "values": Number(size, 0),
                 "the paper's factors": paper if not place else ""}
            )  # fmt: skip
    if not rows:
        return Absent("; ".join(notes) or "no data set of this study has factors")
    caption = "Factors that metrics see, and how many values each takes here. The paper's numbers are not legible."
    return Table(rows, list(rows[0]), caption, distinct(notes))


def _networks(config: Config, shapes: Shapes) -> Iterable[tuple[str, str, int]]:
    """(which, its layers in words, how many parameters) of each network of a configuration."""
    method = make_method(config, shapes, config.members[0].hyperparameters)
    params, _ = eqx.filter_eval_shape(method.init, jax.random.key(0))
    parts = {"encoder": params.model.encoder, "decoder": params.model.decoder, "discriminator": params.critic}
    for part, network in parts.items():
        layers = [one for one in jax.tree.leaves(network, is_leaf=_is_layer) if _is_layer(one)]
        if layers:
            sizes = [leaf.size for leaf in jax.tree.leaves(network) if hasattr(leaf, "size")]
            yield part, " → ".join(map(_in_words, layers)), sum(sizes)


def _is_layer(one: Any) -> bool:
    return isinstance(one, Conv | ConvTranspose | Dense)


def _in_words(layer: Any) -> str:
    """Such as "Conv 4x4 /2, 32"."""
    shape = layer.weight.shape
    if isinstance(layer, Dense):
        return f"FC {shape[-1]:,}"
    kind, stride = ("DeConv", 2) if isinstance(layer, ConvTranspose) else ("Conv", layer.stride)
    return f"{kind} {shape[0]}x{shape[1]} /{stride}, {shape[-1]}"


def _paper_row(config: Config, part: str) -> Cell:
    if config.architecture == "mlp" and part != "discriminator":
        return Absent(short="not in the paper")
    return PART_ROWS["broadcast decoder" if (config.architecture, part) == ("broadcast", "decoder") else part]


def _datasets(cells: Cells) -> dict[str, Dataset | Absent]:
    """The data sets of a study, each loaded once, or why it cannot be."""
    configs = {group.data: cells.outcome.configs[group.name] for group in cells.outcome.groups}
    found: dict[str, Dataset | Absent] = {}
    for name in cells.outcome.data:
        try:
            found[name] = datasets.load(configs[name].data, **configs[name].data_options)
        except Error as error:
            found[name] = Absent(f"its images are not on this machine ({first_line(error)})")
    return found


def _has_critic(method: Method) -> bool:
    return bool(jax.tree.leaves(eqx.filter_eval_shape(method.objective.init_critic, jax.random.key(0), method.latent)))


def _method(config: Config) -> Method:
    """The first member's; what this table says of it does not depend on the data."""
    shapes = Shapes((64, 64, 1), tuple([2] * config.num_latents))
    return make_method(config, shapes, config.members[0].hyperparameters)


def _values(found: Iterable[Any]) -> Cell:
    """Those that occur, each once; a dash for none."""
    return ", ".join(dict.fromkeys(map(str, found))) or "–"


def _grid(configs: Iterable[Config], name: str, default: float | None = None) -> Cell:
    grids = [one.hyperparameters.get(name, () if default is None else (default,)) for one in configs]
    return _values(f"{value:g}" for grid in grids for value in grid)
