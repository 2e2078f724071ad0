"""One self-contained HTML page: small functions that return escaped HTML; styles, script and pictures are inside.

Nothing is loaded from anywhere: the page opens from disk, without a network, on a phone, in light and dark.
"""

import base64
import html
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from factorgrid.errors import Error
from factorgrid.report.claims import Verdict
from factorgrid.report.page_style import SCRIPT, STYLE
from factorgrid.report.style import DPI
from factorgrid.report.table_files import Table
from factorgrid.report.values import Absent, as_float, parts

_LONG = 36  # letters: longer texts wrap
_MANY, _CROWDED = 8, 14  # columns: on paper the letters are smaller
_TALL = 20  # rows: longer tables scroll within the page
_COLORS = {
    Verdict.SUPPORTED: "yes",
    Verdict.PARTLY: "partly",
    Verdict.NOT_SUPPORTED: "no",
    Verdict.NOT_SEEN: "unknown",
    Verdict.NOT_TESTED: "unknown",
}


@dataclass(frozen=True)
class Section:
    """A part of the page, with its entry in the table of contents.

    Attributes:
        name: its anchor.
        title: its heading.
        body: HTML.
        entries: anchors and titles of what is in it.
    """

    name: str
    title: str
    body: str
    entries: tuple[tuple[str, str], ...] = ()


def page(title: str, head: str, sections: Sequence[Section]) -> str:
    """The whole document.

    Args:
        title: of the study, plain text.
        head: HTML below the title.
        sections: in order.
    """
    contents = "".join(_contents_entry(section) for section in sections)
    body = "".join(
        f'<section id="{attribute(section.name)}"><h2>{text(section.title)}</h2>{section.body}</section>'
        for section in sections
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">'
        f"<title>{text(title)}</title><style>{STYLE}</style></head>\n<body>"
        f'<header><h1>{text(title)}</h1>{head}</header><div class="columns">'
        f'<nav aria-label="Contents"><details open><summary>Contents</summary><ol>{contents}</ol></details></nav>'
        f"<main>{body}</main></div><script>{SCRIPT}</script></body></html>\n"
    )


def text(value: str) -> str:
    """Plain text as HTML."""
    return html.escape(value, quote=False)


def attribute(value: str) -> str:
    """Plain text within double quotes of an attribute."""
    return html.escape(value, quote=True)


def paragraph(value: str, *, kind: str = "") -> str:
    return f'<p class="{attribute(kind)}">{text(value)}</p>' if kind else f"<p>{text(value)}</p>"


def facts(values: Sequence[tuple[str, str]]) -> str:
    """Names and values, side by side where there is room."""
    rows = "".join(f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>" for name, value in values)
    return f'<dl class="facts">{rows}</dl>'


def table(shown: Table, *, links: Sequence[str] = ()) -> str:
    """A table with its title, caption, notes, and links to its files; its columns sort when their heads are clicked."""
    columns = list(shown.columns)
    kinds = {column: _column_kind(shown, column) for column in columns}
    head = "".join(
        f'<th scope="col" aria-sort="none"{_class(kinds[column])}><button type="button">{text(column)}</button></th>'
        for column in columns
    )
    rows = "".join(
        f"<tr>{''.join(_cell(shown, r, column, kinds[column]) for column in columns)}</tr>"
        for r in range(len(shown.rows))
    )
    tall = " tall" if len(shown.rows) > _TALL else ""
    tall += " crowded" if len(columns) > _CROWDED else " many" if len(columns) > _MANY else ""
    heading = f"<h3>{text(shown.title)}</h3>" if shown.title else ""
    return (
        f'<div class="block" id="{attribute(shown.name)}">{heading}{_caption(shown.caption, links)}'
        f'<div class="scroll{tall}" tabindex="0" role="region" aria-label="{attribute(shown.title or shown.name)}">'
        f'<table data-name="{attribute(shown.name)}"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        f"{notes(shown.notes)}</div>"
    )


def notes(lines: Sequence[str], *, title: str = "Notes on this table") -> str:
    """What must be known, folded where it is long."""
    if not lines:
        return ""
    items = "".join(f"<li>{text(line)}</li>" for line in lines)
    opened = " open" if len(lines) <= 4 else ""
    return f'<details class="notes"{opened}><summary>{text(title)} ({len(lines)})</summary><ul>{items}</ul></details>'


def figure(
    name: str,
    title: str,
    caption: str,
    png: Path,
    *,
    alt: str = "",
    links: Sequence[str] = (),
    photographs: bool = False,
    after: str = "",
) -> str:
    """A picture, inside the page.

    Args:
        name, title, caption: of the picture.
        png: the file that goes into the page.
        alt: what the picture shows, for those who do not see it; the caption by default.
        links: files beside the page.
        photographs: whether it shows images, which a dark page must not invert.
        after: HTML below it.

    Raises:
        Error: the file cannot be read.
    """
    try:
        content = png.read_bytes()
    except OSError as error:
        raise Error(f"cannot read {png}: {error.strerror or error}; draw the report again") from error
    # so that the letters of all figures have the same size on the page, and nothing moves while it loads
    width, height = (round(pixels * 96 / DPI) for pixels in struct.unpack(">II", content[16:24]))
    said = attribute(f"{title}. {alt or caption}")
    kind = "" if photographs else ' class="drawn"'
    return (
        f'<figure class="block" id="{attribute(name)}"><h3>{text(title)}</h3>{_caption(caption, links)}'
        f'<div class="scroll panel" tabindex="0" role="region" aria-label="{attribute(title)}">'
        f'<img src="data:image/png;base64,{base64.b64encode(content).decode()}" alt="{said}" '
        f'width="{width}" height="{height}"{kind}></div>{after}</figure>'
    )


def badge(verdict: Verdict, words: str) -> str:
    """A verdict in words and colour."""
    return f'<span class="badge {verdict_class(verdict)}">{text(words)}</span>'


def verdict_class(verdict: Verdict) -> str:
    """Which colour: never the only carrier of meaning, the words are there too."""
    return _COLORS[verdict]


def _cell(shown: Table, row: int, column: str, kind: str) -> str:
    """The number large, what belongs to it small; columns sort by `data-value`."""
    cell = shown.cell(row, column)
    number, rest = parts(cell)
    if column == shown.columns[0]:
        return f'<th scope="row">{text(number)}</th>'
    empty = isinstance(cell, Absent)
    kinds = [kind, "none" if empty else "", "best" if (row, column) in shown.best else ""]
    if kind == "words" and len(number) > _LONG:
        kinds.append("long")
    value = as_float(cell)
    sort = "" if value is None else f' data-value="{value:.10g}"'
    small = f"<small> {text(rest)}</small>" if rest else ""
    inner = text(number) if isinstance(cell, str) else f"<b>{text(number)}</b>{small}"
    return f"<td{_class(*kinds)}{sort}>{inner}</td>"


def _column_kind(shown: Table, column: str) -> str:
    """ "words" are set flush left, "paper" marks somebody else's numbers, "" are ours."""
    words = sum(isinstance(cell, str) for cell in shown.column(column))
    if 2 * words > len(shown.rows):
        return "words"
    return "paper" if column in shown.published else ""


def _class(*kinds: str) -> str:
    names = " ".join(kind for kind in kinds if kind)
    return f' class="{names}"' if names else ""


def _caption(caption: str, links: Sequence[str]) -> str:
    files = " ".join(_link(link) for link in links)
    shown = f'<span class="files">{files}</span>' if files else ""
    return f'<p class="caption">{text(caption)} {shown}</p>' if caption or files else ""


def _link(link: str) -> str:
    """A file's link: within the page (`data:`, with its name after a #), or beside it."""
    address, _, name = link.partition("#")
    if not name:
        return f'<a href="{attribute(link)}" title="beside this page">{text(Path(link).suffix[1:].upper())}</a>'
    return f'<a href="{attribute(address)}" download="{attribute(name)}">{text(Path(name).suffix[1:].upper())}</a>'


def inside(path: Path) -> str:
    """A link to a text file that takes its content along, so that the page is complete without it.

    Raises:
        Error: the file cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Error(f"cannot read {path}: {error.strerror or error}; write the report again") from error
    return f"data:text/plain;charset=utf-8;base64,{base64.b64encode(content).decode()}#{path.name}"


def definitions(entries: Sequence[tuple[str, str]]) -> str:
    """Words and what they mean."""
    items = "".join(f"<dt>{text(word)}</dt><dd>{text(meaning)}</dd>" for word, meaning in entries)
    return f'<dl class="reasons">{items}</dl>'


def _contents_entry(section: Section) -> str:
    inner = "".join(f'<li><a href="#{attribute(name)}">{text(title)}</a></li>' for name, title in section.entries)
    below = f"<ol>{inner}</ol>" if inner else ""
    return f'<li><a href="#{attribute(section.name)}">{text(section.title)}</a>{below}</li>'
