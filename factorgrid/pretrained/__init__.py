"""Trained models in folders that can be kept, sent, and put on a hub; and the ones that come with the library.

Contract: such a folder is a run of one member that has finished (`Run.open` reads it), with the names that
huggingface_hub expects: `config.json`, `model.safetensors`, and the card `README.md`. Nothing is ever unpickled. May
import: `report` and everything below it.
"""

from factorgrid.pretrained.folder import from_pretrained as from_pretrained
from factorgrid.pretrained.folder import save_pretrained as save_pretrained
from factorgrid.pretrained.shipped import load_pretrained as load_pretrained
from factorgrid.pretrained.shipped import shipped_names as shipped_names
