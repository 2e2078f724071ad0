"""What the README and the pages tell people to type works: Python is run at small sizes, command lines are parsed.

A block that cannot be run here says so to its readers' editors, in a comment above it:
`<!-- not run by the tests: WHY -->`; all of them are listed in `NOT_RUN`.
"""

import importlib.util
import inspect
import re
import shlex
import types
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tyro

import factorgrid as fg
from factorgrid.cli import COMMANDS
from factorgrid.methods import METHODS
from factorgrid.objectives import OBJECTIVES

ROOT = Path(__file__).parents[1]
PAGES = ["README.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))]
_ELSEWHERE = "tests/integrations runs the same where it is installed (make test-torch)"
NOT_RUN = {
    "docs/data.md": [
        "needs a file of 12.7 GB",
        "needs a scored run and a folder of pictures; tests/test_own_files.py does the same",
    ],
    "docs/integrations.md": [f"needs PyTorch; {_ELSEWHERE}"] * 2,
    "docs/pretrained.md": ["needs a repository on a hub; a local one is tested instead"],
}
# text that is replaced before a page's blocks are run, so that they take seconds: (as printed, as run)
SMALLER = {
    "README.md": [
        (
            'data="dsprites_twin", model="dvae", seeds=5, steps=20_000',
            'data="circles", model="dvae", seeds=2, steps=9, num_latents=2, architecture="mlp", image_size=32',
        ),
        ("torch.rand(1_000, 3, 64, 64)", "torch.rand(400, 3, 64, 64)"),
        ("torch.arange(1_000) % 4, torch.arange(1_000) % 5", "torch.arange(400) % 4, torch.arange(400) % 5"),
        ("num_images=2_000", "num_images=400"),
        ('metrics=["mig", "st_gap"])', 'metrics=["mig", "st_gap"], gap_batches=2, counts=fg.metrics.QUICK)'),
    ],
    "docs/integrations.md": [("draw(2_000", "draw(400"), ("steps=8_000", "steps=3")],
    "docs/refine.md": [("steps=2_000, arch", "steps=4, arch"), ("width=512, steps=2_000", "width=16, steps=4")],
    "docs/watch.md": [("seeds=2, steps=3_000", "seeds=2, steps=4"), ("steps=1_000", "steps=4")],
    "docs/metrics.md": [
        ("torch.rand(1_000, 3, 64, 64)", "torch.rand(400, 3, 64, 64)"),
        ("torch.arange(1_000) % 4, torch.arange(1_000) % 5", "torch.arange(400) % 4, torch.arange(400) % 5"),
        ("num_images=2_000", "num_images=400"),
        ('"all", quick=True', '("mig", "sap"), quick=True'),
        ('evaluate(representations, "six")', 'evaluate(representations, "mig")'),
    ],
}
BLOCK = re.compile(r"(?:<!-- not run by the tests: ([^>]*) -->\n)?^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: str) -> list[tuple[str, str, str]]:
    """(why it is not run, language, text) of every block; "" if it is run."""
    return BLOCK.findall((ROOT / page).read_text())


def python_of(page: str) -> list[str]:
    return [text for why, language, text in blocks(page) if language == "python" and not why]


def command_lines(page: str) -> list[str]:
    """Lines of blocks without a language, and code within the text that is a whole command line."""
    shown = [line for _, language, text in blocks(page) if language in ("", "bash") for line in text.splitlines()]
    text = BLOCK.sub("", (ROOT / page).read_text())
    inline = [code for code in re.findall(r"`(factorgrid [^`\n]*)`", text) if re.search(r" [\w-]+ \S", code)]
    return [
        line for line in [*shown, *inline] if line.startswith("factorgrid ") and not re.search(r"\.\.\.|--[A-Z]", line)
    ]


# --- what a page takes for granted


def own_images(_: pytest.FixtureRequest) -> dict[str, object]:
    Path("path/to").mkdir(parents=True)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (40, 64, 64, 1), dtype=np.uint8)
    np.savez("path/to/images.npz", images=images, factors=np.arange(40)[:, None] % 4, factor_names=["kind"])
    return {}


def codes_and_scores(request: pytest.FixtureRequest) -> dict[str, object]:
    factors = np.stack(np.meshgrid(range(5), range(8), range(10), indexing="ij"), axis=-1).reshape(-1, 3)
    codes = factors + np.random.default_rng(0).normal(0, 0.3, factors.shape)
    space = fg.FactorSpace(("a", "b", "c"), (5, 8, 10))
    scores = [{"mig": value} for value in (0.5, 0.6, 0.7, 0.65)]
    return {
        "codes": codes,
        "factors": factors,
        "scores_a": scores,
        "scores_b": [{"mig": score["mig"] + more} for score, more in zip(scores, (0.1, 0.05, 0.12, 0.08), strict=True)],
        "representations": [fg.Representation.from_table(codes, space)] * 2,
    }


def runs(request: pytest.FixtureRequest) -> dict[str, object]:
    """Tiny runs where the page expects its readers' runs."""
    for name in ("a", "dvae", "vae", "demo/dvae", "demo/vae"):
        Path("runs", name).parent.mkdir(parents=True, exist_ok=True)
        Path("runs", name).symlink_to(request.getfixturevalue("tiny_run").path)
    return {}


BEFORE: dict[str, Callable[[pytest.FixtureRequest], dict[str, object]]] = {
    "docs/data.md": own_images,
    "docs/metrics.md": codes_and_scores,
    "docs/explorer.md": runs,
    "docs/integrations.md": runs,
}


@pytest.mark.parametrize("page", [page for page in PAGES if python_of(page)])
def test_python_of_a_page_runs(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    code = "\n".join(python_of(page))
    if re.search(r"^\s*import torch", code, re.MULTILINE):
        try:
            import torch  # noqa: F401
        except ImportError:
            code = "\n".join(text for text in python_of(page) if "import torch" not in text)
    for printed, run in SMALLER.get(page, []):
        code = code.replace(printed, run)
    monkeypatch.chdir(tmp_path)
    names = BEFORE.get(page, lambda _: {})(request)
    exec(compile(code, page, "exec"), {"__name__": "__main__", **names})


@pytest.mark.parametrize("page", PAGES)
def test_what_is_made_smaller_or_left_out_is_there(page: str) -> None:
    text = (ROOT / page).read_text()
    for printed, _ in SMALLER.get(page, []):
        assert printed in text, f"{page} does not say {printed!r} any more: mend SMALLER"
    assert [why for why, _, _ in blocks(page) if why] == NOT_RUN.get(page, [])


@pytest.mark.parametrize("page", [page for page in PAGES if command_lines(page)])
def test_command_lines_of_a_page_are_parsed(page: str) -> None:
    for line in command_lines(page):
        _, name, *arguments = shlex.split(line.split(" > ")[0], comments=True)
        assert name in COMMANDS, f"{page}: {line}"
        module = importlib.import_module(f"factorgrid.cli.{name}")
        try:
            tyro.cli(module.Options, args=arguments, prog=f"factorgrid {name}")
        except SystemExit as stopped:
            if stopped.code:
                pytest.fail(f"{page}: {line}")


TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.py"))


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_runs_at_a_small_size(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, found = re.subn(r"^(\w+ = ).*# tests: (.*)$", r"\1\2", path.read_text(), flags=re.MULTILINE)
    assert found, "a tutorial says at which size the tests run it: NAME = 1_000  # tests: 4"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = [(table, dict(table)) for table in (METHODS, OBJECTIVES)]  # the last tutorial adds to them
    try:
        exec(compile(code, str(path), "exec"), {"__name__": "__main__"})
    finally:
        for table, content in before:
            table.clear()
            table.update(content)


@pytest.mark.parametrize("package", ["factorgrid", "factorgrid.metrics"])
def test_every_public_name_is_documented_and_in_the_reference(package: str) -> None:
    assert not hooks.undocumented(package)
    pages = hooks.generated_pages()
    page = pages["reference/metrics.md" if package.endswith("metrics") else "reference/python.md"]
    for name, value in hooks.public_names(package).items():
        code = inspect.isclass(value) or inspect.isfunction(value)
        assert (f"::: {value.__module__}.{value.__qualname__}\n" if code else f"`{name}`") in page


def test_generated_pages_hold_results_and_commands() -> None:
    pages = hooks.generated_pages()
    assert "| The D-VAE is better disentangled than the VAE" in pages["evidence/index.md"]
    for name in COMMANDS:
        assert f"## factorgrid {name}\n" in pages["reference/commands.md"]
        assert f"usage: factorgrid {name}" in pages["reference/commands.md"]
    for name in METHODS:
        assert f"| `{name}` |" in pages["reference/methods.md"]


def test_links_that_leave_the_pages_lead_to_what_is_made_of_them() -> None:
    page = types.SimpleNamespace(file=types.SimpleNamespace(src_uri="methods.md"))
    text = "[table](../benchmarks/results/objectives.md), [log](../benchmarks/results/x.txt), [in](data.md)"
    assert hooks.on_page_markdown(text, page) == "[table](evidence/objectives.md), log, [in](data.md)"


@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith("docs/")])
def test_no_link_of_the_site_leaves_it(page: str) -> None:
    file = types.SimpleNamespace(src_uri=page.removeprefix("docs/"))
    text = hooks.on_page_markdown((ROOT / page).read_text(encoding="utf-8"), types.SimpleNamespace(file=file))
    leaving = [target for target in re.findall(r"\]\(([^)]+)\)", text) if target.startswith("../" * page.count("/"))]
    assert not leaving


def site_hooks() -> types.ModuleType:
    found = importlib.util.spec_from_file_location("site_hooks", ROOT / "docs" / "site_hooks.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


hooks = site_hooks()
