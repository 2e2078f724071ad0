"""How every figure of the library looks: colours, fonts, titles, and writing a file that is whole or not there."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import matplotlib
import numpy as np
import seaborn
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure
from PIL import Image

from factorgrid.files import replacing

DPI = 150
Layout = Literal["constrained", "compressed"]
# The colour-blind palette of seaborn without its yellow and its two greys: lines must be seen on white.
COLORS = ("#0173b2", "#de8f05", "#029e73", "#cc78bc", "#ca9161", "#56b4e9", "#fbafe4")
ACCENT = "#d55e00"
INK = "#262626"
FAINT = "#8c8c8c"


@contextlib.contextmanager
def picture(path: Path, width: float, height: float, *, layout: Layout = "constrained") -> Iterator[Figure]:
    """An empty figure of so many inches; what is drawn on it in the block is written to `path` when the block ends.

    The suffix of `path` decides the format: PNG, PDF or SVG. "compressed" is the layout for grids of square axes.

    Raises:
        Error: the file cannot be written.
    """
    with matplotlib.rc_context(_settings()):
        figure = Figure(figsize=(width, height), layout=layout)
        FigureCanvasAgg(figure)
        yield figure
        with replacing(path) as temporary:
            figure.savefig(temporary, dpi=DPI, bbox_inches="tight", pad_inches=0.12)


def shrink(path: Path) -> None:
    """Reduce a PNG of lines and areas to a palette of 256 colours: a quarter of the bytes, and the same to the eye."""
    with Image.open(path) as image:
        small = image.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    with replacing(path) as temporary:
        small.save(temporary, format="png", optimize=True)


def set_title(figure: Figure, text: str) -> None:
    """The title of a whole figure, at its left: what it shows, then of which run."""
    figure.suptitle(text, x=0.01, ha="left", linespacing=1.4)


def setting_colors(settings: list[str]) -> dict[str, Any]:
    """A colour for each hyperparameter setting: distinct ones for a few, shades in order for many."""
    if len(settings) <= len(COLORS):
        return dict(zip(settings, COLORS))
    shades = seaborn.color_palette("viridis", len(settings) + 2)[:-2]  # the yellow end is lost on white
    return dict(zip(settings, shades))


def warm() -> Colormap:
    """Light to dark orange: positions along x."""
    return LinearSegmentedColormap.from_list("warm", ["#fbc57c", "#e07b00", "#6b2a00"])


def cool() -> Colormap:
    """Light to dark blue: positions along y. Tells from `warm` under every common colour blindness."""
    return LinearSegmentedColormap.from_list("cool", ["#9ad4f5", "#0173b2", "#00253d"])


def jitter(num: int, width: float) -> np.ndarray:
    """Offsets [num] within +-width / 2 that part overlapping points; always the same ones."""
    return (np.arange(num) * 0.618034 % 1 - 0.5) * width


def _settings() -> dict[Any, Any]:
    return {
        **seaborn.axes_style("ticks"),
        "font.size": 9,
        "axes.titlesize": 9.5,
        "axes.labelsize": 9,
        "xtick.labelsize": 8,
        "ytick.labelsize": 8,
        "legend.fontsize": 8,
        "figure.titlesize": 11,
        "axes.linewidth": 0.8,
        "xtick.major.width": 0.8,
        "ytick.major.width": 0.8,
        "axes.edgecolor": INK,
        "text.color": INK,
        "axes.titlelocation": "left",
        "legend.frameon": False,
    }
