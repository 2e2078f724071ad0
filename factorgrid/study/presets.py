"""Studies that come with the library: TOML files in the folder `presets` beside this file, or of a paper's folder."""

from pathlib import Path

from factorgrid.errors import Error, unknown_name
from factorgrid.study.definition import Study, read_study

OWN = Path(__file__).parent / "presets"
PAPERS = Path(__file__).parents[1] / "papers"  # read as data: nothing of it is imported here


def preset_names() -> list[str]:
    """Names of the studies that come with the library."""
    return sorted(_paths())


def preset_text(name: str) -> str:
    """The TOML of a preset, to copy and change.

    Raises:
        Error: no such preset.
    """
    return _path(name).read_text()


def load_study(source: str | Path) -> Study:
    """A study by the name of a preset, or from the TOML file at a path.

    Raises:
        Error: neither; or a file that describes no study.
    """
    path = Path(source)
    if path.suffix == ".toml":
        return read_study(path)
    if len(path.parts) > 1:
        raise Error(f"{source} is no .toml file, nor the folder of a study that was begun")
    return read_study(_path(str(source)))


def _path(name: str) -> Path:
    known = _paths()
    if name not in known:
        raise unknown_name("study", name, [*sorted(known), "or the path of a .toml file"])
    return known[name]


def _paths() -> dict[str, Path]:
    return {path.stem: path for path in (*OWN.glob("*.toml"), *PAPERS.glob("*/presets/*.toml"))}
