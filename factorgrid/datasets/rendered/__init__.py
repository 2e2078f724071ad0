"""Renderers: data sets drawn on the device from their factor values, nothing to download.

Contract: a frozen pytree (`datasets.dataset.Dataset`) whose `images` is a pure JAX function. One file a
renderer. May import: `datasets.dataset`, `factors`, `errors`, and the shared ray tracer. A drawing of a
published data set is named `<name>_twin` wherever a person reads it.
"""
