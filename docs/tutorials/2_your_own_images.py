# %% [markdown]
# # 2. Your own images
#
# A folder of pictures is a data set; with a CSV of labels it has factors, and everything that needs them works.
# Here we draw a folder of pictures first: squares of three colours at eight places.

# %%
import csv
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

import factorgrid as fg

STEPS = 800  # tests: 4
folder = Path(tempfile.mkdtemp())
colours = {"red": (220, 60, 50), "green": (60, 170, 80), "blue": (60, 90, 220)}

rows = []
for colour, rgb in colours.items():
    for place in range(8):
        picture = np.full((32, 32, 3), 240, np.uint8)
        picture[12:20, 3 * place + 1 : 3 * place + 9] = rgb
        name = f"{colour}-{place}.png"
        Image.fromarray(picture).save(folder / name)
        rows.append({"filename": name, "colour": colour, "place": place})
with (folder / "labels.csv").open("w", newline="") as file:
    writer = csv.DictWriter(file, ["filename", "colour", "place"])
    writer.writeheader()
    writer.writerows(rows)

# %% [markdown]
# ## Load and check
#
# `image_size` is what images are resized to. Words and numbers in the CSV become the values of factors.

# %%
dataset = fg.load_dataset(str(folder), image_size=32)
dataset.space

# %% [markdown]
# ## Train
#
# The path takes the place of a data set's name, here and on the command line.

# %%
run = fg.train(
    data=str(folder),
    image_size=32,
    model="dvae",
    steps=STEPS,
    architecture="mlp",
    num_latents=3,
    num_categories=16,
    learning_rate=1e-3,
    out=f"{tempfile.mkdtemp()}/own",
    quiet=True,
)
run.model(0)

# %% [markdown]
# ## Score
#
# Labels let us ask in which dimension each factor is. The matrix has a row for each latent dimension and a column for
# each factor.

# %%
images, factors = dataset.draw(500, seed=0)
codes = run.model(0).encode(images)
fg.metrics.details(codes, factors, "mig")

# %% [markdown]
# Without labels leave out the CSV: training, pictures, the explorer and the straight-through gap work all the same.
