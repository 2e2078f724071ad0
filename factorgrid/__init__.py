"""factorgrid: learning disentangled discrete representations.

import factorgrid as fg

run = fg.train(data="dsprites_twin", model="dvae", seeds=5, steps=20_000)
fg.evaluate(run, metrics=["mig", "st_gap"])
codes = run.best("st_gap").encode(images)

Names are loaded when first asked for: whoever only scores never waits for JAX.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from factorgrid import metrics as metrics
    from factorgrid.any_encoder import score_encoder as score_encoder
    from factorgrid.api import load_dataset as load_dataset
    from factorgrid.api import load_run as load_run
    from factorgrid.api import train as train
    from factorgrid.comparison import compare as compare
    from factorgrid.encode import encode as encode
    from factorgrid.errors import Error as Error
    from factorgrid.evaluation import evaluate as evaluate
    from factorgrid.factors import FactorSpace as FactorSpace
    from factorgrid.metrics import score as score
    from factorgrid.models.trained import TrainedModel as TrainedModel
    from factorgrid.representation import Representation as Representation
    from factorgrid.training import Config as Config
    from factorgrid.training import Run as Run

__version__ = "0.1.0"

_HOMES = {
    "load_dataset": "api",
    "load_run": "api",
    "train": "api",
    "encode": "encode",
    "Error": "errors",
    "evaluate": "evaluation",
    "FactorSpace": "factors",
    "compare": "comparison",
    "score": "metrics",
    "score_encoder": "any_encoder",
    "TrainedModel": "models.trained",
    "Representation": "representation",
    "Config": "training",
    "Run": "training",
}


def __getattr__(name: str) -> Any:
    if name == "metrics":
        return importlib.import_module("factorgrid.metrics")
    if name not in _HOMES:
        raise AttributeError(f"module 'factorgrid' has no attribute '{name}'")
    value = getattr(importlib.import_module(f"factorgrid.{_HOMES[name]}"), name)
    globals()[name] = value  # also where the submodule that has just been loaded bears the same name
    return value
