"""Twins at fewer pixels: every pixel is the mean of a square of pixels of the whole picture."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from factorgrid.datasets.dataset import Batch, DeviceDataset
from factorgrid.errors import Error
from factorgrid.factors import FactorSpace


class Shrunk(DeviceDataset):
    """Another data set's images with sides of a half, a quarter or an eighth; all else is the other's.

    Attributes:
        whole: the other one.
        times: pixels of it to each side of one of these.
    """

    name: str = eqx.field(static=True)
    space: FactorSpace | None = eqx.field(static=True)
    image_shape: tuple[int, int, int] = eqx.field(static=True)
    deterministic: bool = eqx.field(static=True)
    whole: DeviceDataset
    times: int = eqx.field(static=True)

    def __init__(self, whole: DeviceDataset, times: int) -> None:
        height, width, channels = whole.image_shape
        self.name, self.space, self.deterministic = whole.name, whole.space, whole.deterministic
        self.image_shape = (height // times, width // times, channels)
        self.whole, self.times = whole, times

    @property
    def origin(self) -> str:
        return f"{self.whole.origin}, means of {self.times} x {self.times} pixels"

    def images(
        self, key: Key[Array, ""], factors: Int[Array, "batch factor"]
    ) -> Float[Array, "batch height width channel"]:
        return self._means(self.whole.images(key, factors))

    def sample(self, key: Key[Array, ""], num: int) -> Batch:
        """The images that the whole data set draws for this key, shrunk."""
        batch = self.whole.sample(key, num)
        return Batch(self._means(batch.images), batch.factors)

    def _means(self, images: Float[Array, "batch tall wide channel"]) -> Float[Array, "batch height width channel"]:
        height, width, channels = self.image_shape
        return jnp.mean(images.reshape(-1, height, self.times, width, self.times, channels), axis=(2, 4))


def shrunk(dataset: DeviceDataset, image_size: int) -> DeviceDataset:
    """The data set with images of so many pixels a side; itself if it has them already.

    Raises:
        Error: a size that does not divide that of its own images.
    """
    own = dataset.image_shape[0]
    if image_size == own:
        return dataset
    sizes = [own // times for times in (8, 4, 2, 1)]
    if image_size not in sizes:
        raise Error(f"image_size of '{dataset.name}' must be one of {', '.join(map(str, sizes))}, got {image_size}")
    return Shrunk(dataset, own // image_size)
