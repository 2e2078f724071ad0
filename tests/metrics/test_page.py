"""The page on metrics leaves none out."""

from pathlib import Path

import pytest

from factorgrid.metrics import METRICS

ROWS = [line for line in (Path(__file__).parents[2] / "docs/metrics.md").read_text().splitlines() if line[:2] == "| "]


@pytest.mark.parametrize("name", METRICS)
def test_has_a_row_with_range_source_and_direction(name):
    cells = [row.split(" | ") for row in ROWS]
    row = next(row for row in cells if f"`{name}`" in row[0] and len(row) == 4)
    assert row[2].strip()
    assert row[3].strip(" |")
    assert METRICS[name].higher_is_better == ("lower is better" not in row[2])
