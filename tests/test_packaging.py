"""What is said twice about the package agrees."""

import re
import tomllib
from pathlib import Path

import factorgrid

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_the_oldest_dependencies_are_the_lower_bounds() -> None:
    bounds = [re.fullmatch(r"([\w-]+)>=([\d.]+)", line) for line in PROJECT["dependencies"]]
    pins = dict(re.findall(r"^([\w-]+)==([\d.]+)$", (ROOT / "requirements-oldest.txt").read_text(), re.MULTILINE))
    assert pins.pop("jaxlib") == pins["jax"]
    assert None not in bounds
    assert [bound[1] for bound in bounds if bound] == list(pins)
    for bound in bounds:
        assert bound is not None
        # 0.7 and 0.7.0 are one version
        assert re.sub(r"(\.0)+$", "", pins[bound[1]]) == re.sub(r"(\.0)+$", "", bound[2]), bound[1]


def test_the_citation_and_the_changelog_name_this_version() -> None:
    assert f"\nversion: {factorgrid.__version__}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"\n## {factorgrid.__version__}\n" in (ROOT / "CHANGELOG.md").read_text()
