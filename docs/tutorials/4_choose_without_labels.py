# %% [markdown]
# # 4. Choose a model without labels
#
# Seeds differ a lot. With labels one takes the best by MIG; without, the straight-through gap offers itself: how much
# worse the loss gets when each soft choice is rounded to one category. The smaller, the closer to its grid a model is.

# %%
import tempfile

import factorgrid as fg

STEPS = 1_500  # tests: 6
SEEDS = 5  # tests: 2
run = fg.train(
    data="circles",
    image_size=32,
    model="dvae",
    seeds=SEEDS,
    steps=STEPS,
    architecture="mlp",
    num_latents=2,
    learning_rate=5e-4,
    out=f"{tempfile.mkdtemp()}/dvae",
    quiet=True,
)

# %% [markdown]
# Both scores of every seed. UDR (Duan et al. 2020) needs no labels either: it asks whether seeds agree.

# %%
scores = fg.evaluate(run, metrics=["mig", "st_gap", "udr"], counts=fg.metrics.QUICK, gap_batches=20)
scores

# %% [markdown]
# Does the order by gap follow the order by MIG? A rank correlation of -1 would be perfect. With so few seeds of a small
# model it jumps about; what larger studies say is on the page [Evidence](../evidence/index.md).

# %%
scores["st_gap_loss"].corr(scores["mig"], method="spearman")

# %% [markdown]
# The member that the gap chooses, and its MIG beside the median:

# %%
chosen = run.best_member("st_gap")
print(chosen, scores.set_index("member").loc[chosen, "mig"], "median:", scores["mig"].median())
