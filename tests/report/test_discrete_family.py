"""The tables of the discrete family, on scores with known medians."""

import dataclasses
from pathlib import Path

import pandas as pd
import pytest
from synthetic import synthetic

from factorgrid.report import study_report
from factorgrid.report.discrete_family import QUESTIONS, family_table, questions_table
from factorgrid.report.study_cells import Cells
from factorgrid.report.table_files import Table
from factorgrid.report.values import Absent, Number, P, parts
from factorgrid.study.outcomes import COLUMNS, Group, Kind, Outcome
from factorgrid.training import Config

METHODS = {"Autoencoder": "ae", "FSLQ": "fslq", "QLAE": "qlae", "QLAE, decay": "qlae", "D-VAE": "dvae"}
# of MIG, soft and hard, of the first seed; each further one is 0.01 more
LEVELS = {
    "Autoencoder": {"mig": 0.1, "psnr": 20.0},
    "FSLQ": {"mig": 0.3, "mig_hard": 0.3, "psnr": 18.0, "psnr_hard": 18.0, "code_usage.perplexity": 9.0,
             "st_gap_loss": 5.0},
    "QLAE": {"mig": 0.2, "mig_hard": 0.5, "infomec_hard.modularity": 0.7, "code_usage.perplexity": 3.0,
             "code_usage_hard.perplexity": 7.0},
    "QLAE, decay": {"mig": 0.9, "mig_hard": 0.4},
    "D-VAE": {"mig": 0.2},
}  # fmt: skip


@pytest.fixture(scope="module")
def made() -> Outcome:
    rows, groups, configs = [], [], {}
    for title, model in METHODS.items():
        kind, group = Kind(model), f"circles-{title}"
        groups.append(Group(group, "circles", title, kind, 5, "done"))
        configs[group] = Config(
            data="circles", model=model, decay=0.1 if "decay" in title else 0.0, seeds=(0, 1, 2, 3, 4)
        )
        for seed in range(5):
            known = {"group": group, "data": "circles", "method": title, **dataclasses.asdict(kind), "seed": seed,
                     "member": f"seed{seed}", "hyperparameters": "{}", "steps": 10, "provenance": "{}"}  # fmt: skip
            rows += [{**known, "metric": key, "value": value + 0.01 * seed} for key, value in LEVELS[title].items()]
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    speeds = {"circles-FSLQ": 0.05}
    return Outcome(
        "family", "Family", "", ("circles",), tuple(METHODS), table, tuple(groups), configs=configs, speeds=speeds
    )


def test_every_method_has_a_row_with_scores_of_hard_codes_where_there_are_any(made: Outcome) -> None:
    table = family_table(Cells(made))
    assert isinstance(table, Table)
    rows = {row["method"]: row for row in table.rows}
    assert list(rows) == list(METHODS)
    assert parts(rows["FSLQ"]["steps/s"]) == ("20.0", "")
    assert parts(rows["QLAE"]["steps/s"])[1] == "not measured"
    number, beside = parts(rows["QLAE"]["MIG"])
    assert (number, "soft" in beside, "n 5" in beside) == ("52.0", False, True)
    low, high = rows["QLAE"]["MIG"].interval  # type: ignore[union-attr]
    assert 50 <= low <= 52 <= high <= 54
    number, beside = parts(rows["Autoencoder"]["MIG"])
    assert (number, beside.endswith("soft")) == ("12.0", True)
    assert parts(rows["D-VAE"]["MIG"])[1].endswith("soft")
    assert parts(rows["Autoencoder"]["PSNR (dB)"])[0] == "20.0"
    usage = "code usage (perplexity)"
    assert parts(rows["QLAE"][usage])[0] == "7.0"
    assert parts(rows["FSLQ"][usage])[1].endswith("soft")
    assert parts(rows["Autoencoder"][usage]) == ("–", "no categories")
    assert parts(rows["FSLQ"]["straight-through gap (loss) ↓"])[0] == "5.02"


def test_a_question_compares_two_methods_by_their_hard_codes(made: Outcome) -> None:
    table = questions_table(Cells(made))
    assert isinstance(table, Table)
    rows = {(row["question"], row["metric"]): row for row in table.rows}
    grid, learned, decay = (QUESTIONS[place].title for place in (0, 2, 4))
    assert {question for question, _ in rows} == {grid, learned, decay}
    # the autoencoder has no hard codes
    row = rows[grid, "MIG"]
    assert (row["method"], row["against"], row["verdict"]) == ("FSLQ", "Autoencoder", "better")
    assert isinstance(row["difference"], Number)
    assert row["difference"].value == pytest.approx(20)
    assert isinstance(row["p"], P)
    assert row["p"].value == pytest.approx(2 / 252)
    row = rows[decay, "MIG of hard codes"]
    assert (row["method"], row["against"], row["verdict"]) == ("QLAE, decay", "QLAE", "worse")
    assert isinstance(row["difference"], Number)
    assert row["difference"].value == pytest.approx(-10)
    # corrected within the question: the other metric was not scored
    assert row["p (Holm)"] == row["p"]
    assert rows[learned, "InfoM"]["verdict"] == "not tested"
    assert any("InfoM was not scored" in note for note in table.notes)


def test_studies_of_one_discrete_latent_have_no_such_tables(made: Outcome, tmp_path: Path) -> None:
    paper = Cells(synthetic(data=("circles",), seeds=2, labels=(), downstream=False))
    assert isinstance(family_table(paper), Absent)
    assert isinstance(questions_table(paper), Absent)
    text = study_report(made, tmp_path, quick=True).read_text()
    assert "The discrete family" in text
    assert (tmp_path / "tables" / "questions.csv").exists()
