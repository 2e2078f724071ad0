"""The convolutional encoder and decoder, for images of many sizes; at 64 x 64 those of the paper's Table 2.

Table 2 (from Locatello et al. 2019) halves a 64 x 64 image four times, to 4 x 4. Other images are halved as often as
leaves both sides whole and at least 4 long: 32 three times, 96 and 64 x 128 four times, 128 five, 256 six times. The
first two layers have 4 x 4 kernels, those after them 2 x 2 and twice the channels; the decoder goes the same way back,
with 4 x 4 kernels all along.
"""

import equinox as eqx
import jax
from jaxtyping import Array, Float, Key

from factorgrid.errors import Error
from factorgrid.layers import Conv, ConvTranspose, Dense
from factorgrid.layers.initializers import Initializer
from factorgrid.layers.product import rounded

WIDTH, HIDDEN = 32, 256
SMALLEST_SIDE, SMALLEST_HALVED = 16, 4

Shape = tuple[int, int, int]


class ConvEncoder(eqx.Module):
    """Images -> posterior parameters: convolutions of stride 2, then two dense layers."""

    convolutions: tuple[Conv, ...]
    hidden: Dense
    output: Dense

    def __init__(
        self,
        image_shape: Shape,
        num_outputs: int,
        *,
        width: int = WIDTH,
        depth: int | None = None,
        init: Initializer,
        key: Key[Array, ""],
    ) -> None:
        sizes = channels_of(depth_of(image_shape, depth), width)
        *convolutions, hidden, output = jax.random.split(key, len(sizes) + 2)
        inputs = (image_shape[2], *sizes)
        self.convolutions = tuple(
            Conv(inputs[i], sizes[i], kernel=4 if i < 2 else 2, stride=2, init=init, key=convolutions[i])
            for i in range(len(sizes))
        )
        rows, columns = halved(image_shape, len(sizes))
        self.hidden = Dense(rows * columns * sizes[-1], HIDDEN, init=init, key=hidden)
        self.output = Dense(HIDDEN, num_outputs, init=init, key=output)

    def __call__(self, images: Float[Array, "batch height width channel"]) -> Float[Array, "batch parameter"]:
        first, second, *rest = self.convolutions
        x = second.of_blocks(first.to_blocks(rounded(images), relu=True), relu=True)
        for convolution in rest:
            x = convolution(x, relu=True)
        return self.output(self.hidden(x.reshape(len(x), -1), relu=True))


class ConvDecoder(eqx.Module):
    """Latents -> pixel logits: two dense layers, then transposed convolutions of stride 2."""

    hidden: tuple[Dense, Dense]
    deconvolutions: tuple[ConvTranspose, ...]
    smallest: tuple[int, int] = eqx.field(static=True)

    def __init__(
        self,
        num_latents: int,
        image_shape: Shape,
        *,
        width: int = WIDTH,
        depth: int | None = None,
        init: Initializer,
        key: Key[Array, ""],
    ) -> None:
        sizes = channels_of(depth_of(image_shape, depth), width)[::-1]
        first, second, *deconvolutions = jax.random.split(key, len(sizes) + 2)
        self.smallest = halved(image_shape, len(sizes))
        area = self.smallest[0] * self.smallest[1]
        self.hidden = (
            Dense(num_latents, HIDDEN, init=init, key=first),
            Dense(HIDDEN, area * sizes[0], init=init, key=second),
        )
        outputs = (*sizes[1:], image_shape[2])
        self.deconvolutions = tuple(
            ConvTranspose(sizes[i], outputs[i], init=init, key=deconvolutions[i]) for i in range(len(sizes))
        )

    def activations(self, latents: Float[Array, "batch latent"]) -> tuple[Array, ...]:
        """Of the two dense layers and of all deconvolutions but the last two; the last is an image [batch h w c]."""
        found, x = [], rounded(latents)
        for layer in self.hidden:
            x = layer(x, relu=True)
            found.append(x)
        x = x.reshape(len(x), *self.smallest, -1)
        found[-1] = x
        for deconvolution in self.deconvolutions[:-2]:
            x = deconvolution(x, relu=True)
            found.append(x)
        return tuple(found)

    def __call__(self, latents: Float[Array, "batch latent"]) -> Float[Array, "batch height width channel"]:
        *_, last_but_one, last = self.deconvolutions
        x = self.activations(latents)[-1]
        return last.of_blocks(last_but_one.to_blocks(x, relu=True))


def build_convolutional(
    image_shape: Shape,
    num_parameters: int,
    num_latents: int,
    init: Initializer,
    key: Key[Array, ""],
    *,
    width: int = WIDTH,
    depth: int | None = None,
) -> tuple[ConvEncoder, ConvDecoder]:
    """Encoder and decoder.

    Args:
        width: channels of the two layers next to the image; all others have twice as many.
        depth: how often the image is halved; None: as often as it can be.

    Raises:
        Error: image sides or options that do not fit.
    """
    key_encoder, key_decoder = jax.random.split(key)
    encoder = ConvEncoder(image_shape, num_parameters, width=width, depth=depth, init=init, key=key_encoder)
    return encoder, ConvDecoder(num_latents, image_shape, width=width, depth=depth, init=init, key=key_decoder)


def depth_of(image_shape: Shape, depth: int | None = None) -> int:
    """How often images are halved.

    Raises:
        Error: a side is shorter than 16 or no multiple of 4, or the depth asked for does not fit.
    """
    sides = image_shape[:2]
    size = f"{sides[0]} x {sides[1]}"
    if min(sides) < SMALLEST_SIDE or any(side % 4 for side in sides):
        raise Error(
            f"convolutional networks take images whose sides are multiples of 4 and at least {SMALLEST_SIDE}, "
            f"got {size}; resize or crop the images, or choose architecture 'mlp'"
        )
    most = 2
    while all(side % 2 ** (most + 1) == 0 and side >= SMALLEST_HALVED * 2 ** (most + 1) for side in sides):
        most += 1
    if depth is not None and not 2 <= depth <= most:
        raise Error(f"depth must be within 2..{most} for images of {size} pixels, got {depth}")
    return most if depth is None else depth


def channels_of(depth: int, width: int) -> tuple[int, ...]:
    """Output channels of the encoder's convolutions.

    Raises:
        Error: a width below 1.
    """
    if width < 1:
        raise Error(f"width must be at least 1, got {width}")
    return (width, width, *(2 * width,) * (depth - 2))


def halved(image_shape: Shape, times: int) -> tuple[int, int]:
    return image_shape[0] >> times, image_shape[1] >> times
