"""The README's first picture: a disc moves, and its code moves in the latent planes of two models. Pillow, no browser.

    python docs/make_live_planes_gif.py runs/demo/vae runs/demo/dvae docs/images/live_planes.gif

Runs of Circles with two latents, scored by MIG; of each, the member with the highest. 120 frames, 15 a second, at most
600 kB.
"""

import itertools
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import factorgrid as fg
from factorgrid.datasets.rendered.circles import HIGH, LOW, Circles
from factorgrid.report.captions import run_title
from factorgrid.report.planes import JUMP, Plane, draw_circles, encode_positions, plane_window, planes
from factorgrid.report.style import cool, warm

NUM_FRAMES = 120
FRAME_MILLISECONDS = 66
PANEL, GAP, HEAD = 250, 16, 26  # pixels
DRAWN_TIMES = 3  # larger, then shrunk: smooth lines
TRAIL = 14
NUM_COLORS = 127
MOST_BYTES = 600_000
INK, SOFT, FRAME = "#262626", "#6b6e75", "#d0d3d9"


@dataclass(frozen=True)
class Panel:
    """A model's plane and the codes of the path in it."""

    title: str
    plane: Plane
    codes: np.ndarray


def path() -> np.ndarray:
    """Positions [frame 2] of a closed curve that crosses the whole range, each way across and back."""
    turn = 2 * np.pi * np.arange(NUM_FRAMES) / NUM_FRAMES
    middle, half = (LOW + HIGH) / 2, (HIGH - LOW) / 2
    return (middle + half * np.stack([np.sin(2 * turn), np.sin(3 * turn)], axis=1)).astype(np.float32)


def panel(run: fg.Run, dataset: Circles) -> Panel:
    best = planes(run, dataset)[0]
    score = "" if best.mig is None else f": MIG {best.mig:.0%}"
    codes = encode_positions(run.model(best.member), dataset, path()[None])[0]
    return Panel(run_title(run).split(" on ")[0] + score, best, codes)


def place(shown: Panel, codes: np.ndarray, left: float) -> np.ndarray:
    """Codes [... 2] as pixels of the enlarged picture."""
    corner, side = plane_window(shown.plane)
    part = (codes - corner) / side
    return DRAWN_TIMES * np.stack([left + PANEL * part[..., 0], HEAD + PANEL * (1 - part[..., 1])], axis=-1)


def background(panels: list[Panel]) -> Image.Image:
    """Titles, frames and lattices: what does not move."""
    width = PANEL + len(panels) * (PANEL + GAP)
    image = Image.new("RGB", (width * DRAWN_TIMES, (PANEL + HEAD) * DRAWN_TIMES), "white")
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(13 * DRAWN_TIMES)
    draw.text((0, 4 * DRAWN_TIMES), "the disc", INK, font)
    for i, shown in enumerate(panels):
        left = (i + 1) * (PANEL + GAP)
        draw.text((left * DRAWN_TIMES, 4 * DRAWN_TIMES), shown.title, INK, font)
        box = [
            left * DRAWN_TIMES,
            HEAD * DRAWN_TIMES,
            (left + PANEL) * DRAWN_TIMES - 1,
            (HEAD + PANEL) * DRAWN_TIMES - 1,
        ]
        draw.rectangle(box, outline=FRAME, width=DRAWN_TIMES)
        _, side = plane_window(shown.plane)
        for lines, colors in ((shown.plane.codes.swapaxes(0, 1), cool()), (shown.plane.codes, warm())):
            for line, shade in zip(lines, colors(np.linspace(0, 1, len(lines)))):
                for start, end in itertools.pairwise(line):
                    torn = np.linalg.norm(end - start) > JUMP * side
                    color = tuple(round(255 * (c if not torn else 0.8 + 0.2 * c)) for c in shade[:3])
                    draw.line([tuple(place(shown, code, left)) for code in (start, end)], color, DRAWN_TIMES)
    return image


def frames(panels: list[Panel], dataset: Circles) -> list[Image.Image]:
    ground, discs = background(panels), draw_circles(dataset, path())
    result = []
    for now in range(NUM_FRAMES):
        image = ground.copy()
        draw = ImageDraw.Draw(image)
        disc = Image.fromarray((255 * discs[now, ..., 0]).astype(np.uint8))
        image.paste(disc.resize((PANEL * DRAWN_TIMES,) * 2, Image.Resampling.NEAREST), (0, HEAD * DRAWN_TIMES))
        for i, shown in enumerate(panels):
            for age in range(TRAIL, -1, -1):
                x, y = place(shown, shown.codes[now - age], (i + 1) * (PANEL + GAP))
                radius, outline = (7, 2 * DRAWN_TIMES) if age == 0 else (2.5, 0)
                box = [
                    x - radius * DRAWN_TIMES,
                    y - radius * DRAWN_TIMES,
                    x + radius * DRAWN_TIMES,
                    y + radius * DRAWN_TIMES,
                ]
                draw.ellipse(box, SOFT if age else INK, "white", outline)
        small = image.resize((image.width // DRAWN_TIMES, image.height // DRAWN_TIMES), Image.Resampling.LANCZOS)
        result.append(small)
    return result


def differences(drawn: list[Image.Image]) -> list[Image.Image]:
    """In one palette; what is as in the frame before is transparent, which compresses to nearly nothing."""
    palette = drawn[0].quantize(NUM_COLORS, dither=Image.Dither.NONE)
    indices = [np.asarray(frame.quantize(palette=palette, dither=Image.Dither.NONE)) for frame in drawn]
    changed = [indices[0]]
    changed += [np.where(new == old, NUM_COLORS, new).astype(np.uint8) for old, new in itertools.pairwise(indices)]
    shown = [Image.fromarray(part, "P") for part in changed]
    for part in shown:
        part.putpalette(palette.getpalette())
    return shown


def main(folders: list[str], target: Path) -> None:
    runs = [fg.load_run(folder) for folder in folders]
    dataset = runs[0].dataset()
    if not isinstance(dataset, Circles):
        raise fg.Error(f"{folders[0]} was trained on '{runs[0].config.data}'; the animation is of circles")
    drawn = frames([panel(run, dataset) for run in runs], dataset)
    shown = differences(drawn)
    options = {"transparency": NUM_COLORS, "disposal": 1, "duration": FRAME_MILLISECONDS, "loop": 0}
    shown[0].save(target, save_all=True, append_images=shown[1:], optimize=False, **options)
    size = target.stat().st_size
    if size > MOST_BYTES:
        raise fg.Error(f"{target} has {size:,} bytes, more than {MOST_BYTES:,}; draw fewer frames or smaller panels")
    print(f"{target}: {size:,} bytes, {len(shown)} frames of {shown[0].width} x {shown[0].height}")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(sys.argv[1:-1], Path(sys.argv[-1]))
