# %% [markdown]
# # 6. A study and its report
#
# A study is a file: data sets, methods, seeds, metrics. It is planned, run (stop it when you like, it goes on), and
# reported in one HTML page. From the command line: `factorgrid study plan|run|status|report FILE`.

# %%
import tempfile
from pathlib import Path

from factorgrid.papers import friede2023
from factorgrid.report import study_report
from factorgrid.study import load_study, outcome, plan, run_study

STEPS = 600  # tests: 4
folder = Path(tempfile.mkdtemp())
_ = (folder / "mine.toml").write_text(f"""
title = "VAE and D-VAE on small circles"
data = ["circles"]
seeds = 3
metrics = ["mig", "st_gap"]

[training]
steps = {STEPS}
architecture = "mlp"
num_latents = 2
learning_rate = 5e-4

[evaluation]
counts = "quick"
gap_batches = 10

[data_options.circles]
image_size = 32

[[methods]]
model = "vae"

[[methods]]
model = "dvae"
""")

# %% [markdown]
# ## Plan

# %%
study = load_study(str(folder / "mine.toml"))
[(group.name, group.num_members) for group in plan(study)]

# %% [markdown]
# ## Run
#
# Every group trains as one program; its scores are one file. Running it again does nothing, or what is missing.

# %%
run_study(study, folder / "mine", quiet=True)
found = outcome(folder / "mine")
found.table[["method", "member", "metric", "value"]].pivot_table(index=["method", "member"], columns="metric")

# %% [markdown]
# ## Report
#
# One page with the paper's tables and figures as far as the study reaches, with tests and intervals.

# %%
page = study_report(found, folder / "mine" / "report", paper=friede2023)
sorted(path.name for path in page.parent.iterdir())
