"""The report's page: what it says is what the files say, it needs nothing else, and a browser can show it."""

import base64
import dataclasses
import html.parser
import io
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from synthetic import synthetic

import factorgrid as fg
from factorgrid.papers import friede2023
from factorgrid.report import study_report
from factorgrid.report.claims import Verdict
from factorgrid.report.page import badge, verdict_class

HOSTILE = "</title><script>document.title='owned'</script>"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="needs Chromium: no chromium, chromium-browser or google-chrome on PATH"
)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a made-up study of two data sets with labels, a failed group, and names that HTML must not read."""
    states = {"cars3d_twin-vae-0": ("failed", "<img src=x onerror=alert(1)> & \"quotes\" 'too'")}
    outcome = synthetic(data=("cars3d_twin", "circles"), seeds=3, labels=(100,), states=states)
    outcome = dataclasses.replace(outcome, title=f"A study {HOSTILE}")
    return study_report(outcome, tmp_path_factory.mktemp("page"), paper=friede2023, quick=True)


class Parsed(html.parser.HTMLParser):
    """Tables by name as rows of cell texts, and every tag with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.tags: list[tuple[str, dict[str, str]]] = []
        self._rows: list[list[str]] = []
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        self.tags.append((tag, known))
        if tag == "table":
            self._rows = self.tables[known["data-name"]] = []
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th"):
            self._rows[-1].append("")
            self._inside = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self._rows[-1][-1] += data

    def values(self, attribute: str) -> list[str]:
        return [known[attribute] for _, known in self.tags if attribute in known]


@pytest.fixture(scope="module")
def parsed(report: Path) -> Parsed:
    return Parsed(report.read_text(encoding="utf-8"))


def test_the_page_and_the_files_have_the_same_numbers(report: Path, parsed: Parsed) -> None:
    """What is printed is the file's number, rounded; behind it what belongs to it."""
    compared = 0
    for name, (head, *shown) in parsed.tables.items():
        frame = pd.read_csv(report.parent / "tables" / f"{name}.csv")
        assert len(frame) == len(shown), name
        for column, cells in zip(head, zip(*shown)):
            if pd.api.types.is_float_dtype(frame[column]) and "p" not in column.split():
                for value, cell in zip(frame[column], cells):
                    number = cell.split()[0].rstrip("*").replace(",", "")
                    if np.isfinite(value):
                        assert float(number) == pytest.approx(value, abs=0.501), (name, column)
                        compared += 1
                    else:
                        assert number == "–"
    assert compared > 200
    assert {"table-1", "table-5", "table-6", "table-7", "dvae-against-vae", "selection", "scores", "comparisons",
            "settings", "models"} <= set(parsed.tables)  # fmt: skip
    assert any("17.4" in cell for row in parsed.tables["table-1"] for cell in row) is False  # dSprites is not in it
    assert "14.9" in parsed.tables["table-1"][-3]  # FactorDVAE on Cars3D in the paper


def test_every_table_has_its_files(report: Path, parsed: Parsed) -> None:
    for name in parsed.tables:
        assert (report.parent / "tables" / f"{name}.tex").exists()
    assert (report.parent / "summary.csv").exists()
    claims = (report.parent / "tables" / "claims.csv").read_text(encoding="utf-8")
    assert claims.count("Section ") >= 6


def test_the_page_needs_nothing_from_elsewhere(report: Path, parsed: Parsed) -> None:
    for value in [*parsed.values("src"), *parsed.values("href")]:
        if value.startswith("#"):
            assert value[1:] in parsed.values("id")
        elif not value.startswith("data:"):
            assert not re.match(r"[a-z]+:|//", value), value
            assert (report.parent / value).exists(), value
    assert not re.search(r"@import|url\(", report.read_text(encoding="utf-8"))


def test_anchors_are_unique(parsed: Parsed) -> None:
    anchors = parsed.values("id")
    assert len(anchors) == len(set(anchors))


def test_pictures_are_inside_and_whole(report: Path, parsed: Parsed) -> None:
    images = [known for tag, known in parsed.tags if tag == "img"]
    assert len(images) >= 7
    for known in images:
        content = base64.b64decode(known["src"].removeprefix("data:image/png;base64,"))
        with Image.open(io.BytesIO(content)) as image:
            image.load()
            assert image.width / image.height == pytest.approx(int(known["width"]) / int(known["height"]), rel=0.02)
        assert known["alt"]


def test_what_comes_from_data_is_text(report: Path, parsed: Parsed) -> None:
    text = report.read_text(encoding="utf-8")
    assert sum(tag == "script" for tag, _ in parsed.tags) == 1
    assert "onerror" not in {name for _, known in parsed.tags for name in known}
    assert "&lt;img src=x onerror=alert(1)&gt; &amp; " in text
    assert "&lt;b&gt;nothing&lt;/b&gt;" in text


def test_the_page_says_what_failed_what_is_a_twin_and_what_is_absent(report: Path) -> None:
    text = report.read_text(encoding="utf-8")
    assert "1 of 24 groups failed." in text
    assert "1 of 2 data sets are rendered twins" in text
    assert "left out of a quick report" in text


def test_verdicts_have_words_and_colours() -> None:
    assert verdict_class(Verdict.SUPPORTED) == "yes"
    assert verdict_class(Verdict.PARTLY) == "partly"
    assert verdict_class(Verdict.NOT_SUPPORTED) == "no"
    assert verdict_class(Verdict.NOT_SEEN) == verdict_class(Verdict.NOT_TESTED) == "unknown"
    assert badge(Verdict.NOT_SUPPORTED, "on < 2") == '<span class="badge no">on &lt; 2</span>'


def test_a_study_without_groups_or_columns_is_an_error(tmp_path: Path) -> None:
    outcome = synthetic(data=("circles",), seeds=2, labels=(), downstream=False)
    with pytest.raises(fg.Error, match="study 'synthetic' has no groups"):
        study_report(dataclasses.replace(outcome, groups=()), tmp_path)
    with pytest.raises(fg.Error, match="lack the columns labels, steps"):
        study_report(dataclasses.replace(outcome, table=outcome.table.drop(columns=["labels", "steps"])), tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(fg.Error, match="cannot write"):
        study_report(outcome, tmp_path / "file", quick=True)


def test_a_study_that_has_just_begun_has_a_page(tmp_path: Path) -> None:
    groups = [f"circles-{name}-0" for name in ("vae", "d-vae")]
    waiting = dict.fromkeys(groups, ("waiting", ""))
    outcome = synthetic(data=("circles",), methods=("VAE", "D-VAE"), labels=(), states=waiting, downstream=False)
    assert outcome.table.empty
    text = study_report(outcome, tmp_path, paper=friede2023, quick=True).read_text(encoding="utf-8")
    assert "Not finished: 2 waiting" in text
    assert Parsed(text).tables["table-1"][1][:2] == ["VAE", "– waiting"]


def test_a_study_of_other_methods_shows_nothing_of_the_paper(tmp_path: Path) -> None:
    outcome = synthetic(data=("own",), methods=("VAE", "β-VAE"), labels=(), supervised=(), downstream=False)
    page = study_report(outcome, tmp_path, paper=friede2023, quick=True)
    parsed = Parsed(page.read_text(encoding="utf-8"))
    assert set(parsed.tables) == {"scores", "comparisons", "models"}
    assert [known["id"] for tag, known in parsed.tags if tag == "figure"] == ["distributions"]
    assert "Friede" not in page.read_text(encoding="utf-8")


def test_a_report_without_a_paper(tmp_path: Path) -> None:
    outcome = synthetic(data=("circles",), seeds=3, labels=(100,))
    page = study_report(outcome, tmp_path, quick=True)
    parsed = Parsed(page.read_text(encoding="utf-8"))
    assert set(parsed.tables) == {"scores", "comparisons", "agreement", "settings", "models"}
    assert not (tmp_path / "tables" / "claims.csv").exists()
    scores = pd.read_csv(tmp_path / "tables" / "scores.csv").set_index("method")
    mig = outcome.table.query("metric == 'mig' and method == 'FactorDVAE' and labels == 0")["value"]
    assert scores.loc["FactorDVAE, all 3 settings", "MIG"] == pytest.approx(100 * mig.median())
    assert scores.loc["FactorDVAE, all 3 settings", "MIG n"] == len(mig)
    against = pd.read_csv(tmp_path / "tables" / "comparisons.csv")
    assert set(against["against"]) == {"VAE", "D-VAE, 100 labels"}  # the first of each number of labels
    settings = pd.read_csv(tmp_path / "tables" / "settings.csv")
    assert {"γ = 10", "γ = 30", "γ = 100"} == set(settings[settings["method"] == "FactorVAE"]["setting"])


def test_the_report_is_the_same_every_time(tmp_path: Path) -> None:
    outcome = synthetic(data=("circles",), labels=(100,), seeds=3)
    first, second = (study_report(outcome, tmp_path / name, paper=friede2023, quick=True).read_bytes() for name in "ab")
    assert first == second


PROBE = """
<script>addEventListener('load', function () {
  var all = document.querySelectorAll('details');
  all.forEach(function (one) { one.open = true; });
  function column(table, index) {
    return Array.from(table.tBodies[0].rows).map(function (row) { return row.cells[index].textContent; });
  }
  var table = document.querySelector('table[data-name="table-1"]'), heads = table.tHead.rows[0].cells, found = {};
  found.before = column(table, 1);
  heads[1].querySelector('button').click(); found.up = column(table, 1); found.aria = heads[1].ariaSort;
  heads[1].querySelector('button').click(); found.down = column(table, 1);
  heads[0].querySelector('button').click(); found.names = column(table, 0);
  found.images = document.images.length;
  found.broken = Array.from(document.images).filter(function (one) { return !one.naturalWidth; }).length;
  found.width = innerWidth; var root = document.documentElement;
  found.overflow = root.scrollWidth - root.clientWidth;
  found.wide = Array.from(document.querySelectorAll('body *')).filter(function (one) {
    return !one.closest('.scroll') && one.getBoundingClientRect().right > root.clientWidth + 0.5;
  }).map(function (one) { return one.tagName + '.' + one.className; });
  found.title = document.title;
  parent.postMessage(JSON.stringify(found), '*');
});</script>
"""
FRAME = """<!doctype html><pre id="found"></pre><script>
addEventListener('message', function (event) { document.getElementById('found').textContent = event.data; });
</script><iframe src="%s" style="width:%dpx;height:900px;border:0"></iframe>"""


def browse(page: Path, folder: Path) -> tuple[str, list[str]]:
    """The document after its scripts have run, and what the console said."""
    assert CHROMIUM is not None
    command = [CHROMIUM, "--headless", "--disable-gpu", "--no-first-run", f"--user-data-dir={folder / 'profile'}",
               "--enable-logging=stderr", "--virtual-time-budget=4000", "--window-size=1400,1000", "--dump-dom",
               page.as_uri()]  # fmt: skip
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.insert(2, "--no-sandbox")  # Chromium refuses to run as root with it
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def probe(report: Path, folder: Path, width: int) -> tuple[dict[str, Any], list[str]]:
    """What the page measures of itself in a window of that width, and the console."""
    text = report.read_text(encoding="utf-8")
    (folder / "probed.html").write_text(text.replace("</body>", f"{PROBE}</body>"), encoding="utf-8")
    (folder / "frame.html").write_text(FRAME % ("probed.html", width), encoding="utf-8")
    shown, console = browse(folder / "frame.html", folder)
    found = re.search(r'<pre id="found">(.*?)</pre>', shown, re.DOTALL)
    assert found is not None
    return json.loads(html.unescape(found.group(1))), console


@needs_chromium
@pytest.mark.parametrize("width", [375, 1280])
def test_a_browser_shows_all_of_it(report: Path, tmp_path: Path, width: int) -> None:
    found, console = probe(report, tmp_path, width)
    assert console == []
    assert found["width"] == width
    assert (found["overflow"], found["wide"]) == (0, [])
    assert found["images"] >= 7
    assert found["broken"] == 0
    assert found["title"] == f"A study {HOSTILE}"  # as text: the script in it has not run


@needs_chromium
def test_tables_sort_by_number_with_empty_cells_last(report: Path, tmp_path: Path) -> None:
    found, _ = probe(report, tmp_path, 800)
    numbers = [float(text.split()[0]) for text in found["up"] if not text.startswith("–")]
    empty = len(found["before"]) - len(numbers)
    assert empty > 0
    assert numbers == sorted(numbers)
    assert [text[0] for text in found["up"][-empty:]] == ["–"] * empty
    assert [float(text.split()[0]) for text in found["down"][:-empty]] == sorted(numbers, reverse=True)
    assert sorted(found["before"]) == sorted(found["up"]) == sorted(found["down"])
    assert found["aria"] == "ascending"
    assert found["names"][0] == "AnnealedVAE"


@needs_chromium
def test_the_browser_would_tell_of_broken_scripts(tmp_path: Path) -> None:
    page = tmp_path / "broken.html"
    page.write_text("<!doctype html><script>nothing.here()</script>")
    _, console = browse(page, tmp_path)
    assert any("nothing is not defined" in line for line in console)
