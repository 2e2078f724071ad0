"""Studies that come with the library, as TOML files beside this one: the paper's at full scale, and small ones."""

from pathlib import Path

from factorgrid.errors import unknown_name
from factorgrid.study.definition import Study, read_study

FOLDER = Path(__file__).parent / "presets"


def preset_names() -> list[str]:
    """Names of the studies that come with the library."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


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
    return read_study(_path(str(source)))


def _path(name: str) -> Path:
    if name not in preset_names():
        raise unknown_name("study", name, [*preset_names(), "or the path of a .toml file"])
    return FOLDER / f"{name}.toml"
