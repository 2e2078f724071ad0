"""Training: groups of members as one compiled program, checkpoints, runs on disk.

May import: `config` and everything below it. Nothing here scores or draws.
"""

from factorgrid.config import Config as Config
from factorgrid.config import Member as Member
from factorgrid.training.run import Run as Run
from factorgrid.training.training import train as train
