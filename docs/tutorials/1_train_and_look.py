# %% [markdown]
# # 1. Train and look
#
# We train a few small D-VAEs on images of one disc, score them, and look at what the best has learned. Two causes make
# every image, the disc's x and y; the model has two latent dimensions, and should give each cause one.

# %%
import tempfile

import factorgrid as fg
from factorgrid import report

STEPS = 1_500  # tests: 6
SEEDS = 3  # tests: 2
folder = tempfile.mkdtemp()

# %% [markdown]
# ## Train
#
# Seeds train together, as one compiled program. `architecture="mlp"` is a small dense network; the paper's
# convolutions are the default.

# %%
run = fg.train(
    data="circles",
    image_size=32,
    model="dvae",
    seeds=SEEDS,
    steps=STEPS,
    architecture="mlp",
    num_latents=2,
    learning_rate=5e-4,
    out=f"{folder}/dvae",
    quiet=True,
)

# %% [markdown]
# ## Score
#
# MIG asks whether each cause is in one dimension alone (it knows the causes); the straight-through gap asks how much is
# lost by rounding (it does not).

# %%
fg.evaluate(run, metrics=["mig", "st_gap"], counts=fg.metrics.QUICK, gap_batches=20)

# %% [markdown]
# ## Look
#
# A run shows itself in a notebook. In the traversals every column sets one dimension to one category. The bars below
# say how many images of the data are near that category. Grey columns have none: what is drawn there is no datum.

# %%
run

# %% [markdown]
# The latent planes of all members: lines of constant x in orange, of constant y in blue.

# %%
from PIL import Image

pictures = report.traverse(run, out=f"{folder}/figures")
Image.open(next(path for path in pictures if path.name == "planes.png")).copy()

# %% [markdown]
# ## Use
#
# A trained model turns images into codes or categories and back.

# %%
model = run.best("st_gap")
images, factors = run.dataset().draw(5, seed=0)
model.categorize(images)

# %% [markdown]
# In a notebook `model.explore()` shows the latent explorer in a frame: the network runs in the page.

# %%
model.explore(height=600)
