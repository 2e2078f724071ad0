"""The claims over several studies in one table."""

from pathlib import Path

import pytest
from synthetic import DATA, synthetic

import factorgrid as fg
from factorgrid.papers.friede2023 import summary


def rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_a_row_for_each_test_and_the_verdict_below_several(monkeypatch: pytest.MonkeyPatch) -> None:
    small = {"labels": (), "supervised": (), "downstream": False}
    studies = {
        "one": synthetic(data=("cars3d",), methods=("VAE", "D-VAE"), seeds=6, **small),
        "two": synthetic(data=DATA[:2], methods=("FactorVAE", "FactorDVAE"), seeds=6, **small),
    }
    monkeypatch.setattr(summary, "outcome", lambda path: studies[path.name])
    text = summary.summarise_studies([Path("one"), Path("two")])
    head, rule, *body = rows(text)
    assert tuple(head) == summary.HEAD
    assert len(rule) == len(head) == {len(row) for row in body}.pop()
    where = [row[2] for row in body if "6.1, Figure 6" in row[0] or not row[0]]
    assert {*DATA[:2], "all"} <= set(where)
    first = next(row for row in body if "higher MIG, on all but SmallNORB. (Section 6.1, Figure 5)" in row[0])
    assert first[2:4] == ["cars3d", "8.5 % D-VAE"]
    assert (first[6], first[8]) == ("6", "supported")
    assert "**supported**" in {row[8] for row in body}
    untested = text.split("Not tested by these studies:")[1]
    assert "Masked attention improves" in untested
    assert "higher MIG of FactorDVAE than of FactorVAE" not in untested


def test_a_folder_without_a_study(tmp_path: Path) -> None:
    with pytest.raises(fg.Error, match="holds no study"):
        summary.summarise_studies([tmp_path])
