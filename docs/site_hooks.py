"""What the site shows and nobody writes by hand: the reference, command lines, evidence tables, and the live planes.

MkDocs calls `on_files` and `on_page_markdown`; the rest is plain functions, which the tests call too.
"""

import contextlib
import dataclasses
import importlib
import inspect
import io
import os
import re
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS, BENCHMARKS = ROOT / "studies" / "results", ROOT / "benchmarks" / "results"
METHOD_FIELDS = ("title", "objective", "latent", "source")
OPENING = {
    "reference/python.md": "# Python\n\nEvery public name of `factorgrid`, as `import factorgrid as fg` gives it.\n",
    "reference/metrics.md": "# Metrics\n\nEvery public name of `factorgrid.metrics`: arrays in, numbers out, no JAX.\n",
}


def generated_pages() -> dict[str, str]:
    """Markdown of every page that is made from the code and from committed results, by its place in the site."""
    return {
        "reference/index.md": _index(),
        "reference/python.md": _reference("factorgrid", OPENING["reference/python.md"]),
        "reference/metrics.md": _reference("factorgrid.metrics", OPENING["reference/metrics.md"]),
        "reference/commands.md": _commands(),
        "reference/methods.md": _methods(),
        "evidence/index.md": _evidence(),
        **{f"evidence/{path.name}": path.read_text(encoding="utf-8") for path in sorted(BENCHMARKS.glob("*.md"))},
    }


def public_names(package: str) -> dict[str, Any]:
    """What a package offers, modules aside."""
    module = importlib.import_module(package)
    names = getattr(module, "__all__", None) or vars(module)
    found = {name: getattr(module, name) for name in sorted(names) if not name.startswith("_")}
    return {name: value for name, value in found.items() if not inspect.ismodule(value)}


def undocumented(package: str) -> list[str]:
    """Public functions and classes without a docstring of their own."""
    return [
        name for name, value in public_names(package).items() if _is_code(value) and not (value.__doc__ or "").strip()
    ]


def _is_code(value: Any) -> bool:
    return inspect.isclass(value) or inspect.isfunction(value)


def _reference(package: str, opening: str) -> str:
    parts = [opening]
    for name, value in public_names(package).items():
        if _is_code(value):
            parts.append(f"::: {value.__module__}.{value.__qualname__}\n")
            if dataclasses.is_dataclass(value) and any("help" in one.metadata for one in dataclasses.fields(value)):
                parts[-1] += f"    options:\n      show_signature: false\n\n{_fields(value)}"
        else:
            parts.append(f"## `{name}`\n\nA value of type `{type(value).__name__}`.\n")
    return "\n".join(parts)


def _fields(kind: Any) -> str:
    """A dataclass whose fields say themselves what they are for."""
    rows = [f"| `{one.name}` | {_default(one)} | {one.metadata['help']} |" for one in dataclasses.fields(kind)]
    return "\n".join(["| field | default | |", "| --- | --- | --- |", *rows, ""])


def _default(one: dataclasses.Field) -> str:
    if one.default is not dataclasses.MISSING:
        return f"`{one.default!r}`"
    return "`{}`" if one.default_factory is not dataclasses.MISSING else "must be given"


def _index() -> str:
    return (
        "# Reference\n\n* [Python](python.md): every public name\n* [Metrics](metrics.md): the functions of "
        "`factorgrid.metrics`\n* [Command line](commands.md): every command and its flags\n* [Methods](methods.md): "
        "every name that `--model` takes\n"
    )


def _commands() -> str:
    from factorgrid.cli import COMMANDS

    parts = ["# Command line\n"]
    for name, about in COMMANDS.items():
        parts.append(f"## factorgrid {name}\n\n{about[0].upper()}{about[1:]}.\n\n```text\n{_help(name)}\n```\n")
    return "\n".join(parts)


def _help(name: str) -> str:
    import tyro

    module, said = importlib.import_module(f"factorgrid.cli.{name}"), io.StringIO()
    os.environ.setdefault("COLUMNS", "100")
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        tyro.cli(module.Options, args=["--help"], prog=f"factorgrid {name}")
    return re.sub(r"\x1b\[[0-9;]*m", "", said.getvalue()).strip()


def _methods() -> str:
    from factorgrid.methods import METHODS

    rows = []
    for name, one in METHODS.items():
        cells = [f"`{name}`", *(str(getattr(one, field)) for field in METHOD_FIELDS), ", ".join(one.hyperparameters)]
        rows.append(f"| {' | '.join(cells)} |")
    head = "| name | title | objective | latent | source | hyperparameters |\n| --- | --- | --- | --- | --- | --- |"
    return (
        f"# Methods by name\n\nFormulas and deviations: [methods](../methods.md).\n\n{head}\n" + "\n".join(rows) + "\n"
    )


def _evidence() -> str:
    from factorgrid.papers.friede2023.summary import summarise_studies

    folders = [path for path in sorted(RESULTS.iterdir()) if (path / "study.json").exists()]
    links = [f"* [{path.stem.replace('_', ' ')}]({path.name})" for path in sorted(BENCHMARKS.glob("*.md"))]
    return "\n".join(
        [
            "# Evidence\n",
            "The paper's claims, tested on the studies whose results are in the repository. This page is made of: "
            f"{', '.join(f'`studies/results/{path.name}`' for path in folders)}.\n",
            summarise_studies(folders),
            "\n## Benchmarks\n\nTables as the benchmarks wrote them, with hardware, versions and date:\n",
            *links,
            "",
        ]
    )


def live_planes_page() -> str:
    """The page on which one moves the disc, of the models that come with the library."""
    from factorgrid.explorer import live_planes
    from factorgrid.pretrained.shipped import shipped_folder

    with tempfile.TemporaryDirectory() as folder:
        runs = [shipped_folder("vae-circles"), shipped_folder("dvae-circles")]
        return live_planes(runs, Path(folder) / "planes.html").read_text(encoding="utf-8")


# --- called by MkDocs


def on_files(files: Any, config: Any) -> Any:
    """Add the generated pages; fail where a public name has no docstring."""
    from mkdocs.exceptions import PluginError
    from mkdocs.structure.files import File

    missing = [
        f"{package}.{name}" for package in ("factorgrid", "factorgrid.metrics") for name in undocumented(package)
    ]
    if missing:
        raise PluginError(f"public names without a docstring: {', '.join(missing)}")
    for place, text in {**generated_pages(), "live_planes.html": live_planes_page()}.items():
        files.append(File.generated(config, place, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Links that leave `docs/` for the repository lead to the page that is made of it, or become plain text."""
    depth = page.file.src_uri.count("/")
    up = "../" * depth

    def target(found: re.Match) -> str:
        text, ups, address = found.groups()
        if ups.count("/") <= depth:
            return found[0]
        name = Path(address).name
        if "benchmarks/results/" in address and (BENCHMARKS / name).suffix == ".md":
            return f"[{text}]({up}evidence/{name})"
        if "studies/results" in address:
            return f"[{text}]({up}evidence/index.md)"
        return text

    return re.sub(r"\[([^\]]+)\]\(((?:\.\./)+)([^)]*)\)", target, markdown)
