# %% [markdown]
# # 5. A few labels, and masks
#
# With labels for some images, dimension i can be tied to factor i by a supervised term. Masked attention goes further:
# a factor with 20 values needs 20 categories, so the other 44 are switched off, and every value can be read off.

# %%
import tempfile

import factorgrid as fg

STEPS = 1_500  # tests: 6
LABELS = 200  # tests: 20
common = {
    "data": "circles",
    "image_size": 32,
    "model": "dvae",
    "labels": LABELS,
    "steps": STEPS,
    "architecture": "mlp",
    "num_latents": 2,
    "learning_rate": 5e-4,
    "quiet": True,
}
folder = tempfile.mkdtemp()
plain = fg.train(**common, out=f"{folder}/plain")
masked = fg.train(**common, masked=True, out=f"{folder}/masked")

# %% [markdown]
# ## Do labels and masks help here?

# %%
for name, run in {"labels": plain, "labels and masks": masked}.items():
    scores = fg.evaluate(run, metrics=["mig", "validation"], counts=fg.metrics.QUICK)
    print(f"{name}: MIG {scores['mig'].item():.3f}, loss of held-out labels {scores['validation_loss'].item():.2f}")

# %% [markdown]
# ## Read the factors off
#
# Which categories may the two dimensions take?

# %%
model = masked.model(0)
[len(active) for active in model.active_categories]

# %% [markdown]
# Every active category of each dimension, for four inputs; outlined is the input's own (the paper's Figure 8).

# %%
from PIL import Image

from factorgrid import report

pictures = report.traverse(masked, out=f"{folder}/figures")
Image.open(next(path for path in pictures if path.name.startswith("categories"))).copy()
