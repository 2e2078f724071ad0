"""Tables 2 to 4 and 8: what a study trained, read off its configurations."""

from dataclasses import replace

import pytest
from synthetic import synthetic

from factorgrid.config import Config
from factorgrid.papers.friede2023.settings import factors_table, hyperparameters_table, networks_table
from factorgrid.report.study_cells import Cells
from factorgrid.report.table_files import Table
from factorgrid.report.values import Absent, text
from factorgrid.study.outcomes import Group, Kind


def cells(*configs: Config) -> Cells:
    """A study whose groups are trained so."""
    outcome = synthetic(seeds=1, data=("dsprites_twin",), methods=("D-VAE",), supervised=(), labels=())
    groups = tuple(
        Group(f"{place}", config.data, config.model, Kind(config.model), 1, "done")
        for place, config in enumerate(configs)
    )
    named = {group.name: config for group, config in zip(groups, configs)}
    data = tuple(dict.fromkeys(config.data for config in configs))
    return Cells(replace(outcome, groups=groups, data=data, configs=named), resamples=10)


def made(table: Table | Absent) -> list[dict[str, str]]:
    assert isinstance(table, Table), table
    return [{column: text(row.get(column, "")) for column in table.columns} for row in table.rows]


def test_the_paper_s_networks_layer_by_layer() -> None:
    # Table 2 and 3; the numbers of parameters are those of the authors' networks for 64 x 64 grey images
    rows = made(networks_table(cells(Config("dsprites_twin", "vae"), Config("dsprites_twin", "factor_dvae"))))
    found = {(row["network"], row["of"]): (row["layers"], row["parameters"]) for row in rows}
    convolutions = "Conv 4x4 /2, 32 → Conv 4x4 /2, 32 → Conv 2x2 /2, 64 → Conv 2x2 /2, 64 → FC 256 → "
    assert found["encoder", "VAE"] == (convolutions + "FC 20", "309,204")
    assert found["encoder", "FactorDVAE"] == (convolutions + "FC 640", "468,544")
    assert found["decoder", "VAE, FactorDVAE"][1] == "381,313"
    assert found["discriminator", "FactorDVAE"] == ("FC 1,000 → " * 6 + "FC 2", "5,018,002")
    assert len(rows) == 4


def test_the_decoder_of_circles_is_the_paper_s_and_dense_layers_are_not() -> None:
    options = {"data": "circles", "model": "dvae", "num_latents": 2}
    rows = made(
        networks_table(cells(Config(architecture="broadcast", **options), Config(architecture="mlp", **options)))
    )
    decoders = {row["paper"]: row["layers"] for row in rows if row["network"] == "decoder"}
    assert decoders["tile, coordinate channels, 3 x Conv"] == "Conv 4x4 /1, 64 → Conv 4x4 /1, 64 → Conv 4x4 /1, 1"
    assert "not in the paper" in " ".join(decoders)


def test_hyperparameters_are_those_of_the_groups_and_a_dash_where_none_has_them() -> None:
    plain = Config("dsprites_twin", "vae", learning_rate=1e-3)
    critic = Config("dsprites_twin", "factor_dvae", hyperparameters={"gamma": (10.0, 20.0)}, labels=100, steps=7)
    rows = {row["parameter"]: row["this study"] for row in made(hyperparameters_table(cells(plain, critic)))}
    assert rows["learning rate"] == "0.001, 0.0001"
    assert rows["training steps"] == "300,000, 7"
    assert rows["γ"] == "10, 20"
    assert rows["ω"] == "1"
    assert rows["discriminator's Adam: β1, β2"] == "0.5, 0.9"
    rows = {row["parameter"]: row["this study"] for row in made(hyperparameters_table(cells(plain)))}
    assert [rows[name] for name in ("γ", "ω", "categories", "temperature")] == ["–"] * 4


def test_factors_of_every_data_set() -> None:
    rows = made(factors_table(cells(Config("dsprites_twin", "vae"), Config("circles", "vae"))))
    assert [(row["factor"], row["values"]) for row in rows[:2]] == [("shape", "3"), ("scale", "6")]
    assert rows[0]["the paper's factors"].startswith("Shape, Scale")
    assert rows[1]["data set"] == ""


@pytest.mark.parametrize("table", [networks_table, hyperparameters_table, factors_table])
def test_a_study_that_does_not_say_how_it_trains_has_none(table: object) -> None:
    assert callable(table)
    assert isinstance(table(Cells(synthetic(seeds=1), resamples=10)), Absent)
