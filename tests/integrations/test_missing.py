"""Where a tool is not installed, its door can be opened, and says what to install when it is used."""

import importlib.util

import pytest

import factorgrid as fg
from factorgrid.integrations import lightning_callback, torch_networks, torch_scores


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="PyTorch is installed")
def test_without_pytorch():
    with pytest.raises(fg.Error, match=r"a score over batches of tensors needs .*: pip install torch"):
        torch_scores.CodeScores("mig")
    with pytest.raises(fg.Error, match=r"a network for PyTorch needs .*: pip install torch"):
        torch_networks.TorchEncoder(None)
    with pytest.raises(fg.Error, match=r"the callback needs .*: pip install lightning"):
        lightning_callback.ScoreCallback(None)
