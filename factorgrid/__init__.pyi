from . import metrics as metrics
from .any_encoder import score_encoder as score_encoder
from .api import export as export
from .api import load_dataset as load_dataset
from .api import load_model as load_model
from .api import load_run as load_run
from .api import train as train
from .comparison import compare as compare
from .config import Config as Config
from .encoding import encode as encode
from .errors import Error as Error
from .evaluation import evaluate as evaluate
from .explorer import explore as explore
from .explorer import live_planes as live_planes
from .factors import FactorSpace as FactorSpace
from .integrations.onnx_files import export_onnx as export_onnx
from .metrics import score as score
from .models.trained import TrainedModel as TrainedModel
from .own_files import encode_files as encode_files
from .pretrained import from_pretrained as from_pretrained
from .pretrained import load_pretrained as load_pretrained
from .pretrained import save_pretrained as save_pretrained
from .refinement import refine as refine
from .report import heat_map as heat_map
from .representation import Representation as Representation
from .training import Run as Run

__version__: str
