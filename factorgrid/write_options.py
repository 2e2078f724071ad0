"""Writes two files from the one declaration of every option, and of every score.

`options.py` is the keywords of `fg.train` as editors see them; `cli/declared.py` is flags and names for the help of the
command line, which then needs no JAX.

python -m factorgrid.write_options
"""

import dataclasses
import json
import textwrap
from collections.abc import Iterable
from pathlib import Path

from factorgrid.config import LEARNING_RATE, Config, hyperparameters
from factorgrid.datasets import OPTIONS as DATA_OPTIONS
from factorgrid.evaluation import DEFAULT
from factorgrid.methods import NAMED, PRESETS
from factorgrid.metrics import METRICS
from factorgrid.selectors import SELECTORS

HEAD = '''"""The keywords of `fg.train`. Written by `python -m factorgrid.write_options`; change `config.py` instead."""

from collections.abc import Sequence
from typing import Any, TypedDict

Values = float | Sequence[float]


class Options(TypedDict, total=False):
'''
DECLARED = '''# fmt: off
# ruff: noqa: E501
"""Flags of `factorgrid train`, names of models and scores: what help says, without loading what it speaks of.

Written by `python -m factorgrid.write_options`; change `config.py` or the tables instead.
"""

from typing import Any

# name, type, default (... if there is none), help, second name
FLAGS: tuple[tuple[str, Any, Any, str, str], ...] = (
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


def declared() -> str:
    """The text of `cli/declared.py`."""
    several = "tuple[float, ...] | None"
    rows = []
    for one in dataclasses.fields(Config):
        if one.name in ("seeds", "hyperparameters", "data_options"):  # put together from other flags
            continue
        default = "..." if one.default is dataclasses.MISSING else repr(one.default)
        kind = _kind(str(one.type))
        if one.name == LEARNING_RATE:
            kind, default = several, f"({default},)"
        rows.append((one.name, kind, default, one.metadata["help"], one.metadata["flag"]))
    rows += [(name, several, "None", f"For {', '.join(takers)}.", "") for name, takers in hyperparameters().items()]
    rows += [(name, f"{kind.__name__} | None", "None", help, "") for name, (kind, help) in DATA_OPTIONS.items()]
    lines = [f"    ({_text(name)}, {kind}, {default}, {_text(help)}, {_text(flag)}),"
             for name, kind, default, help, flag in rows]  # fmt: skip
    presets = "; ".join(f"{name}: {text}" for name, text in PRESETS.items())
    names = {"MODELS": NAMED, "SCORES": [*METRICS, *SELECTORS], "DEFAULT_SCORES": DEFAULT}
    tail = [
        ")",
        *(_names(name, values) for name, values in names.items()),
        f"PRESETS = {_text(presets)}",
    ]
    return DECLARED + "\n".join([*lines, *tail]) + "\n"


def _names(name: str, values: Iterable[str]) -> str:
    return f"{name} = ({', '.join(map(_text, values))})"


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _entry(name: str, kind: str, help: str) -> list[str]:
    comment = textwrap.wrap(help, 112, initial_indent="    # ", subsequent_indent="    # ")
    return [*comment, f"    {name}: {'Values' if name == 'learning_rate' else kind}"]


def _kind(annotation: str) -> str:
    return annotation.removeprefix("<class '").removesuffix("'>").replace("typing.", "")


if __name__ == "__main__":
    folder = Path(__file__).parent
    for path, text in {folder / "options.py": source(), folder / "cli" / "declared.py": declared()}.items():
        path.write_text(text)
        print(path)
