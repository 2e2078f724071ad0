"""Names of scores of hard codes: the suffix "_hard" on the metric's part of a name or result key.

Hard codes are the positions of the most probable or nearest categories of a discrete model. Metrics are the same
functions for them, and draw the same images.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from factorgrid.metrics.table import METRICS

Codes = Literal["soft", "hard"]

SUFFIX = "_hard"
# hard codes take few values: a metric that can count them does
_OPTIONS: Mapping[str, Mapping[str, Any]] = {"infomec": {"discrete": True}}


def hard(key: str) -> str:
    """The name of a score when it is that of hard codes.

    >>> hard("mig"), hard("dci.completeness")
    ('mig_hard', 'dci_hard.completeness')
    """
    name, dot, part = key.partition(".")
    return name + SUFFIX + dot + part


def soft(key: str) -> str:
    """The name of a score without the suffix, if it has it.

    >>> soft("dci_hard.completeness"), soft("mig")
    ('dci.completeness', 'mig')
    """
    name, dot, part = key.partition(".")
    return name.removesuffix(SUFFIX) + dot + part


HARD = tuple(hard(name) for name in METRICS)


def by_codes(names: Iterable[str]) -> dict[Codes, list[str]]:
    """The names in the table that are asked of each kind of codes; a kind that nothing is asked of is left out.

    >>> by_codes(["mig", "sap_hard", "mig_hard"])
    {'soft': ['mig'], 'hard': ['sap', 'mig']}
    """
    found: dict[Codes, list[str]] = {}
    for name in names:
        found.setdefault("hard" if name in HARD else "soft", []).append(soft(name))
    return found


def options_of(codes: Codes, names: Iterable[str]) -> Mapping[str, Mapping[str, Any]]:
    """Options other than the table's that metrics of such codes have: InfoMEC counts hard codes.

    >>> options_of("hard", ["mig", "infomec"])
    {'infomec': {'discrete': True}}
    """
    return {name: _OPTIONS[name] for name in names if codes == "hard" and name in _OPTIONS}


def recorded(codes: Codes) -> dict[str, str]:
    """What provenance says of the codes; nothing of soft ones, which are what is scored if nobody says otherwise."""
    return {"codes": codes} if codes == "hard" else {}
