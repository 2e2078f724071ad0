"""Layers: dense, convolution and transposed convolution, as products of patches and a matrix.

Contract: a layer is a frozen pytree with `weight` and `bias`, called on a whole batch. Under `vmap` over the
weights (the member axis of a group) every layer becomes a batched matrix product; a `lax` convolution would become a
grouped convolution, which is unusably slow on a CPU. May import: nothing of factorgrid but `errors`.
"""

from factorgrid.layers.convolution import Conv as Conv
from factorgrid.layers.convolution import ConvTranspose as ConvTranspose
from factorgrid.layers.dense import Dense as Dense
from factorgrid.layers.initializers import INITIALIZERS as INITIALIZERS
