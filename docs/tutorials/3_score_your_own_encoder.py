# %% [markdown]
# # 3. Score your own encoder
#
# Every metric is a plain function of codes and factors, so it scores anything that makes codes: a PyTorch module, a
# scikit-learn pipeline, a function. Here: principal components of rendered dSprites.

# %%
import numpy as np
from sklearn.decomposition import PCA

import factorgrid as fg

NUM = 3_000  # tests: 300
dataset = fg.load_dataset("dsprites_twin")
images, factors = dataset.draw(NUM, seed=0)
pca = PCA(10, random_state=0).fit(images.reshape(NUM, -1))

# %% [markdown]
# ## Codes you have already

# %%
codes = pca.transform(images.reshape(NUM, -1))
fg.score(codes, factors, metrics=("mig", "sap", "modularity"), quick=True)

# %% [markdown]
# The number alone says little: where does it come from, and what would chance give?

# %%
fg.metrics.details(codes, factors, "mig")

# %% [markdown]
# ## An encoder
#
# `score_encoder` draws images of a data set by name, encodes them in batches, and scores the codes. Your function
# gets float32 images [n, height, width, channel] from 0 to 1 (a PyTorch module gets tensors, channels first).


# %%
def encode(batch):
    return pca.transform(np.asarray(batch).reshape(len(batch), -1))


fg.score_encoder(encode, "dsprites_twin", metrics="mig", num_images=NUM)

# %% [markdown]
# The rotation of the first two components shows what these metrics punish: the same information, other axes.

# %%
turn = np.eye(10)
turn[:2, :2] = [[np.cos(0.8), -np.sin(0.8)], [np.sin(0.8), np.cos(0.8)]]
fg.score(codes / codes.std(axis=0) @ turn, factors, metrics="mig")
