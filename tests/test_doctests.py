"""The examples in docstrings: those of each module in one test."""

import doctest
import importlib
from pathlib import Path

import pytest

import factorgrid

ROOT = Path(factorgrid.__file__).parent
MODULES = [
    ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in sorted(ROOT.rglob("*.py"))
    if ">>> " in path.read_text()
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert result.attempted > 0, "doctest did not find the examples"
    assert result.failed == 0, "see the captured output"
