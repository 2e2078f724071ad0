"""factorgrid: learning disentangled discrete representations.

import factorgrid as fg

run = fg.train(data="dsprites_twin", model="dvae", seeds=5, steps=20_000)
fg.evaluate(run, metrics=["mig", "st_gap"])
codes = run.best("st_gap").encode(images)

The public names stand in `__init__.pyi`; each is loaded when it is first used.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
