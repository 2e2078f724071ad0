"""Doors to other people's tools: scikit-learn, PyTorch, torchmetrics, Lightning, ONNX.

Contract: one file a tool, which alone imports it; nothing here is imported by the rest of the library, and nothing is
imported before it is asked for, so that nobody needs a tool they do not use. May import: `api` and everything below it.

    from factorgrid.integrations.scikit_learn import ImageAutoencoder, CodeScorer
    from factorgrid.integrations.torch_networks import torch_networks
    from factorgrid.integrations.torch_scores import CodeScores
    from factorgrid.integrations.lightning_callback import ScoreCallback
    from factorgrid.integrations.onnx_files import export_onnx
"""
