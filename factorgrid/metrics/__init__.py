"""Metrics: how disentangled a code is, as pure functions of arrays.

Contract. A metric is one file of `definitions/` with one public function: arrays in (codes: float [sample, latent];
factors: int [sample, factor]), a dict of named Python floats out. The two that need samples with a factor held fixed
take a Representation. Nothing here knows of models or images, and nothing imports JAX: NumPy, SciPy and scikit-learn
only (LightGBM for the fast trees, if installed). Metric files never import each other; what they share has files of
its own (`checks`, `sampling`, `mutual_information`, ...), and what they fit lives in `solvers/`.

`table.METRICS` is the one place where a metric is declared: the numbers it yields, their direction and range, what
they are invariant to, how the sample is drawn, what it costs. Tests, reports and the command line read it. Every
metric draws from its own random stream, made from the seed and its name: adding one changes no other number.

`score` is for anyone's codes, `details` for what is behind a score; `evaluate` is for many members of a run at once.

Functions are public here, on the room's door; the files that define them are not, and no file is called as a name of
the door is: a metric's file is `definitions.mig`, its function `factorgrid.metrics.mig`.
"""

from factorgrid.metrics.definitions.beta_vae_score import beta_vae_score as beta_vae_score
from factorgrid.metrics.definitions.code_usage import code_usage as code_usage
from factorgrid.metrics.definitions.dci import dci as dci
from factorgrid.metrics.definitions.dcimig import dcimig as dcimig
from factorgrid.metrics.definitions.downstream import downstream as downstream
from factorgrid.metrics.definitions.edi import edi as edi
from factorgrid.metrics.definitions.explicitness import explicitness as explicitness
from factorgrid.metrics.definitions.factor_vae_score import factor_vae_score as factor_vae_score
from factorgrid.metrics.definitions.fos import fos as fos
from factorgrid.metrics.definitions.gaussian_total_correlation import (
    gaussian_total_correlation as gaussian_total_correlation,
)
from factorgrid.metrics.definitions.infomec import infomec as infomec
from factorgrid.metrics.definitions.irs import irs as irs
from factorgrid.metrics.definitions.jemmig import jemmig as jemmig
from factorgrid.metrics.definitions.mig import mig as mig
from factorgrid.metrics.definitions.mig_sup import mig_sup as mig_sup
from factorgrid.metrics.definitions.minimality_sufficiency import minimality_sufficiency as minimality_sufficiency
from factorgrid.metrics.definitions.modularity import modularity as modularity
from factorgrid.metrics.definitions.mutual_information_score import (
    mutual_information_score as mutual_information_score,
)
from factorgrid.metrics.definitions.omes import omes as omes
from factorgrid.metrics.definitions.sap import sap as sap
from factorgrid.metrics.definitions.wasserstein_correlation import wasserstein_correlation as wasserstein_correlation
from factorgrid.metrics.definitions.z_max_variance import z_max_variance as z_max_variance
from factorgrid.metrics.honesty import assess as assess
from factorgrid.metrics.inspection import details as details
from factorgrid.metrics.lookup import higher_is_better as higher_is_better
from factorgrid.metrics.lookup import metric_names as metric_names
from factorgrid.metrics.lookup import metric_of as metric_of
from factorgrid.metrics.lookup import metric_settings as metric_settings
from factorgrid.metrics.lookup import published_settings as published_settings
from factorgrid.metrics.metric import Metric as Metric
from factorgrid.metrics.sampling import PUBLISHED as PUBLISHED
from factorgrid.metrics.sampling import QUICK as QUICK
from factorgrid.metrics.sampling import Counts as Counts
from factorgrid.metrics.scoring import Progress as Progress
from factorgrid.metrics.scoring import evaluate as evaluate
from factorgrid.metrics.scoring import score as score
from factorgrid.metrics.table import METRICS as METRICS
from factorgrid.metrics.table import SIX as SIX
