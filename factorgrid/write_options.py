"""Writes `options.py`, the keywords of `fg.train` as editors see them, from the one declaration of every option.

python -m factorgrid.write_options
"""

import dataclasses
import textwrap
from pathlib import Path

from factorgrid.config import Config, hyperparameters
from factorgrid.datasets import OPTIONS as DATA_OPTIONS

HEAD = '''"""The keywords of `fg.train`. Written by `python -m factorgrid.write_options`; change `config.py` instead."""

from collections.abc import Sequence
from typing import Any, TypedDict

Values = float | Sequence[float]


class Options(TypedDict, total=False):
'''
OUTSIDE = ("data", "model", "seeds", "steps", "hyperparameters")  # `fg.train` names these itself


def source() -> str:
    """The text of `options.py`."""
    lines = []
    for one in dataclasses.fields(Config):
        if one.name not in OUTSIDE:
            lines += _entry(one.name, _kind(str(one.type)), one.metadata["help"])
    for name, takers in hyperparameters().items():
        lines += _entry(name, "Values", f"For {', '.join(takers)}.")
    for name, (kind, help) in DATA_OPTIONS.items():
        lines += _entry(name, kind.__name__, help)
    return HEAD + "\n".join(lines) + "\n"


def _entry(name: str, kind: str, help: str) -> list[str]:
    comment = textwrap.wrap(help, 112, initial_indent="    # ", subsequent_indent="    # ")
    return [*comment, f"    {name}: {'Values' if name == 'learning_rate' else kind}"]


def _kind(annotation: str) -> str:
    return annotation.removeprefix("<class '").removesuffix("'>").replace("typing.", "")


if __name__ == "__main__":
    path = Path(__file__).with_name("options.py")
    path.write_text(source())
    print(path)
