"""Two tables of a study of discrete methods: what each of them reaches, and one question a row.

Hard codes are compared with hard codes; where a method has none, soft ones stand in and are called so.
"""

from dataclasses import dataclass, replace

from factorgrid.latents.abilities import Discrete
from factorgrid.methods import METHODS
from factorgrid.metrics.hard import hard
from factorgrid.report.comparisons import compare_rows, pair_table
from factorgrid.report.study_cells import Cells, Row, metric_title
from factorgrid.report.table_files import Table
from factorgrid.report.tables import in_percent
from factorgrid.report.values import Absent, Cell, Number, distinct
from factorgrid.study.outcomes import Kind

SOFT = "soft"
PSNR = "psnr"
SCORES = ("mig", "infomec.modularity", "infomec.explicitness", "infomec.compactness", PSNR)
COMPARED = ("mig", "infomec.modularity")
USAGE, GAP = "code_usage.perplexity", "st_gap_loss"


@dataclass(frozen=True)
class Side:
    """A method of a question: its name in `METHODS`, and whether its weights decay."""

    model: str
    decay: bool = False


@dataclass(frozen=True)
class Question:
    """What differs between two methods that are alike in all else."""

    title: str
    first: Side
    second: Side


QUESTIONS = (
    Question("grid or none", Side("ae"), Side("fslq")),
    Question("noise or straight-through", Side("st_dvae"), Side("dvae")),
    Question("learned values or fixed, without noise", Side("fslq"), Side("qlae")),
    Question("learned values or fixed, with noise", Side("grid_qvae"), Side("qvae")),
    Question("decay of the weights or none", Side("qlae"), Side("qlae", decay=True)),
    Question("total correlation from probabilities or from a critic", Side("factor_dvae"), Side("grid_tc_dvae")),
)


def family_table(cells: Cells) -> Table | Absent:
    """Every method on every data set: speed, scores of hard codes, pictures, use of categories, gap."""
    latents = {(entry.latent, tuple(entry.variant.items())) for row in cells.rows
               if (entry := METHODS[row.kind.model]).can(Discrete)}  # fmt: skip
    if len(latents) < 2:
        return Absent("this study does not have several discrete latents")
    rows: list[dict[str, Cell]] = []
    notes: list[str] = []
    for data in cells.outcome.data:
        for row in cells.rows:
            if not cells.groups(data, row):
                continue
            record: dict[str, Cell] = {"data set": data, "method": row.title, "steps/s": _speed(cells, data, row)}
            for key in SCORES:
                record[metric_title(key)], more = _hard_or_soft(cells, data, row, key)
                notes += more
            discrete = METHODS[row.kind.model].can(Discrete)
            none = Absent(short="no categories")
            record[metric_title(USAGE)] = _hard_or_soft(cells, data, row, USAGE)[0] if discrete else none
            gap = cells.sample(data, row, GAP)
            record[f"{metric_title(GAP)} ↓"] = cells.median(gap, scale=1.0, digits=2) if discrete else none
            rows.append(record)
    caption = (
        "Medians over the models of a method, in parentheses the 95 % bootstrap interval of the median; n: models. "
        "Scores are those of hard codes, the positions of the most probable or nearest categories, and PSNR that of "
        f"pictures decoded from them; “{SOFT}”: of codes without rounding, as these are all that was scored. Shares in "
        "%. Code usage: exp of the entropy of a latent's categories, mean over latents. steps/s: training steps of one "
        "model in a second, where `factorgrid study plan` has measured them in this study's folder."
    )
    columns = list(dict.fromkeys(name for record in rows for name in record))
    return Table(rows, columns, caption, distinct(notes))


def questions_table(cells: Cells) -> Table | Absent:
    """What one difference between two methods makes, question by question."""
    rows: list[dict[str, Cell]] = []
    notes: list[str] = []
    for question in QUESTIONS:
        first, second = (_row(cells, side) for side in (question.first, question.second))
        if first is None or second is None:
            continue
        pairs = [
            pair
            for data in cells.outcome.data
            for key in COMPARED
            for pair in compare_rows(cells, [(first, second)], metrics=[_shared(cells, data, first, second, key)],
                                     data=[data])
        ]  # fmt: skip
        found = pair_table(cells, pairs, "")
        rows += [{"question": question.title, **row} for row in found.rows]
        notes += found.notes
    if not rows:
        return Absent("this study has no two methods that differ in one of these things alone")
    caption = (
        "A question a block: the method against another one that differs in this alone. Medians and their difference "
        "with 95 % bootstrap intervals, shares in % and points; of hard codes where both methods have them. "
        "Superiority: how often, in %, a random model of the method scores better than one of the other (50: equal). "
        "p: two-sided Mann-Whitney U test, then after Holm's correction over the tests of the question."
    )
    return Table(rows, list(rows[0]), caption, distinct(notes))


def _row(cells: Cells, side: Side) -> Row | None:
    """The first method of the study that is of this kind."""
    mine = [row for row in cells.rows if row.kind == Kind(side.model) and _decays(cells, row) == side.decay]
    return mine[0] if mine else None


def _decays(cells: Cells, row: Row) -> bool:
    configs = [
        cells.outcome.configs.get(group.name) for data in cells.outcome.data for group in cells.groups(data, row)
    ]
    return any(config is not None and config.decay > 0 for config in configs)


def _shared(cells: Cells, data: str, first: Row, second: Row, key: str) -> str:
    """The score of hard codes if both methods have it, else that of soft ones."""
    both = [len(cells.sample(data, row, hard(key)).values) > 0 for row in (first, second)]
    return hard(key) if all(both) else key


def _hard_or_soft(cells: Cells, data: str, row: Row, key: str) -> tuple[Cell, list[str]]:
    """The median of hard codes, or of soft ones and said to be; and what is missing."""
    scale, digits = (100.0, 1) if in_percent(key) else (1.0, 1 if key in (PSNR, USAGE) else 2)
    samples = [cells.sample(data, row, name) for name in (hard(key), key)]
    chosen = samples[0] if len(samples[0].values) else samples[1]
    cell = cells.median(chosen, scale=scale, digits=digits)
    if isinstance(cell, Number) and chosen is samples[1]:
        cell = replace(cell, after=SOFT)
    return cell, cells.notes(data, row, chosen)


def _speed(cells: Cells, data: str, row: Row) -> Cell:
    known = [
        cells.outcome.speeds[group.name] for group in cells.groups(data, row) if group.name in cells.outcome.speeds
    ]
    return Number(1 / max(known), 1) if known else Absent(short="not measured")
