"""Training: configurations, groups of members as one compiled program, checkpoints, runs on disk.

May import: `methods` and everything below it. Nothing here scores or draws.
"""

from factorgrid.training.config import Config as Config
from factorgrid.training.config import Member as Member
from factorgrid.training.run_directory import Run as Run
from factorgrid.training.train import train as train
