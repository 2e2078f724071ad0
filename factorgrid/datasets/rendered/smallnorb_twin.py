"""SmallNORB drawn: five categories of grey toys on a lit ground, with soft shadows, from above.

The published photographs (LeCun et al. 2004) are stood in for, not copied: the toys are built from ellipsoids and
blocks (`smallnorb_toys.py`). Size and place in the frame, the grey levels of ground, toy and shadow, and that shadows
follow the lighting and not the turntable, were measured on published figures.

As in the usual loader, the instance is hidden: each image shows one of the ten toys of its category, drawn uniformly.
So an image is not a function of its factors.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

from factorgrid.datasets.dataset import DeviceDataset
from factorgrid.datasets.rendered import ray_tracer as rt
from factorgrid.datasets.rendered.ray_tracer import Field
from factorgrid.datasets.rendered.smallnorb_toys import NUM_ELLIPSOIDS, NUM_INSTANCES, all_toys
from factorgrid.factors import FactorSpace

SMALLNORB_SPACE = FactorSpace(("category", "elevation", "azimuth", "lighting"), (5, 9, 18, 6))

FIRST_ELEVATION, ELEVATION_STEP = 30.0, 5.0  # degrees
AZIMUTH_STEP = 20.0
CENTER = (32.5, 37.0)  # edge coordinates of the middle of the turntable
MARGIN = 4  # columns and rows at each side of the frame that no toy reaches, only shadows

# Of each lighting: grey level of the ground, where the main light comes from (right, away, up), and its strength.
GROUNDS = (0.88, 0.81, 0.54, 0.68, 0.94, 0.985)
LIGHTS = ((-0.6, 0.2, 1.0), (0.5, 0.5, 1.0), (-0.7, -0.2, 1.0), (0.1, 0.7, 1.0), (0.7, -0.1, 1.0), (-0.2, -0.5, 1.0))
STRENGTHS = (0.30, 0.26, 0.42, 0.36, 0.28, 0.36)

# Light on a toy, in parts of the ground's level: from everywhere, and from above.
AMBIENT, SKYLIGHT = 0.30, 0.30
# How dark the ground gets in the main light's shadow and under the toy, and between which squared distances from a part
# (in parts of its size) that fades out.
SHADOW, SHADOW_INSIDE, SHADOW_OUTSIDE = 0.38, 0.2, 2.2
CONTACT, CONTACT_INSIDE, CONTACT_OUTSIDE = 0.5, 0.5, 2.0
BLOCK_SIZE = 1.5  # squared radius of the ball that stands for a block in shadows: about the same volume

Parts = Float[Array, "batch part 3 4"]


class SmallNORBTwin(DeviceDataset):
    """Factors: category (animal, human, airplane, truck, car), elevation 30..70, azimuth 0..340 degrees, lighting.

    Attributes:
        toys: maps of the parts of the fifty toys, ten instances a category.
    """

    name: str = eqx.field(static=True, default="smallnorb_twin")
    space: FactorSpace = eqx.field(static=True, default=SMALLNORB_SPACE)
    image_shape: tuple[int, int, int] = eqx.field(static=True, default=(64, 64, 1))
    deterministic: bool = eqx.field(static=True, default=False)
    toys: Float[Array, "toy part 3 4"] = eqx.field(default_factory=lambda: jnp.asarray(all_toys()))

    def images(self, key: Key[Array, ""], factors: Int[Array, "batch factor"]) -> Float[Array, "batch 64 64 1"]:
        return self.of_instances(factors, jax.random.randint(key, (len(factors),), 0, NUM_INSTANCES))

    def of_instances(
        self, factors: Int[Array, "batch factor"], instances: Int[Array, " batch"]
    ) -> Float[Array, "batch 64 64 1"]:
        """Images of the given toys, instance 0..9 of the category."""
        toy = self.toys[factors[:, 0] * NUM_INSTANCES + instances]
        return traced(toy, factors[:, 1], factors[:, 2], factors[:, 3])[..., None]


def traced(
    toy: Parts, elevation: Int[Array, " batch"], azimuth: Int[Array, " batch"], lighting: Int[Array, " batch"]
) -> Float[Array, "batch 64 64"]:
    """Grey pictures. All is traced in the toy's frame, so the camera and the light turn instead of the toy."""
    tilt = jnp.radians(FIRST_ELEVATION + ELEVATION_STEP * elevation.astype(jnp.float32))
    turn = jnp.radians(AZIMUTH_STEP * azimuth.astype(jnp.float32))
    level, rise, zero = jnp.cos(tilt), jnp.sin(tilt), jnp.zeros_like(tilt)
    right = turned(jnp.stack([zero + 1, zero, zero], axis=-1), turn)
    up = turned(jnp.stack([zero, rise, level], axis=-1), turn)
    ahead = turned(jnp.stack([zero, 1 / rise, zero], axis=-1), turn)  # what lies a pixel higher on the ground
    to_camera = turned(jnp.stack([zero, -level, rise], axis=-1), turn)
    lights = np.asarray(LIGHTS) / np.linalg.norm(LIGHTS, axis=1, keepdims=True)
    light = turned(jnp.asarray(lights, jnp.float32)[lighting], turn)
    ground = jnp.asarray(GROUNDS, jnp.float32)[lighting][:, None, None]
    strength = jnp.asarray(STRENGTHS, jnp.float32)[lighting][:, None, None]
    toward_light: rt.Vector = (light[:, 0, None, None], light[:, 1, None, None], light[:, 2, None, None])
    solids = Solids(toy, right, up, to_camera)
    main, contact = passing(toy, right, ahead, light), passing(toy, right, ahead, jnp.zeros_like(light).at[:, 2].set(1))

    def shadows(x: Field, y: Field) -> tuple[Array]:
        aside, away = x - CENTER[0], CENTER[1] - y
        cast = 1 - SHADOW * shade(main, aside, away, SHADOW_INSIDE, SHADOW_OUTSIDE)
        under = 1 - CONTACT * shade(contact, aside, away, CONTACT_INSIDE, CONTACT_OUTSIDE)
        return (ground * cast * under,)

    def toys(x: Field, y: Field) -> tuple[Array, Array]:
        height, normal = solids.nearest(x + MARGIN - CENTER[0], CENTER[1] - MARGIN - y)
        seen = height > -rt.FAR
        scale = 1 / jnp.sqrt(rt.dot(normal, normal))
        facing = jnp.maximum(rt.dot(normal, toward_light), 0)
        grey = ground * (AMBIENT + SKYLIGHT / 2 * (1 + scale * normal[2]) + strength * scale * facing)
        return jnp.where(seen, jnp.minimum(grey, 1.0), 0.0), seen.astype(jnp.float32)

    size = 64 - 2 * MARGIN
    (floor,) = rt.averaged(shadows, 64, 64, rt.regular_grid(1))
    grey, cover = rt.averaged(toys, size, size)
    inner = slice(MARGIN, 64 - MARGIN)
    return floor.at[:, inner, inner].set(floor[:, inner, inner] * (1 - cover) + grey)


def turned(vectors: Float[Array, "batch 3"], turn: Float[Array, " batch"]) -> Float[Array, "batch 3"]:
    """Vectors of the room (right, away, up) in the frame of a toy that is turned by `turn`."""
    cosine, sine = jnp.cos(turn), jnp.sin(turn)
    x, y, z = vectors.T
    return jnp.stack([cosine * x + sine * y, cosine * y - sine * x, z], axis=-1)


# All rays of a picture are parallel, so what happens to a part is a polynomial of the picture's coordinates, whose
# coefficients are found once per image: a ray then costs a part a dozen operations and a root.
Quadratic = Float[Array, "batch part 6"]  # of 1, x, y, x^2, x y, y^2


def passing(
    parts: Parts, right: Float[Array, "batch 3"], up: Float[Array, "batch 3"], direction: Float[Array, "batch 3"]
) -> Quadratic:
    """The squared distance from a part's centre at which a line passes, in the frame where the part is a unit ball.

    The line goes along `direction` through the point x right + y up.
    """
    start, x, y, along = (mapped(parts, vector) for vector in (None, right, up, direction))
    square = (along * along).sum(axis=-1, keepdims=True)
    start, x, y = (v - along * (v * along).sum(axis=-1, keepdims=True) / square for v in (start, x, y))
    pairs = ((start, start, 1), (start, x, 2), (start, y, 2), (x, x, 1), (x, y, 2), (y, y, 1))
    return jnp.stack([factor * (a * b).sum(axis=-1) for a, b, factor in pairs], axis=-1)


def mapped(parts: Parts, vector: Float[Array, "batch 3"] | None) -> Float[Array, "batch part 3"]:
    """A vector in the frames of the parts; None for the origin."""
    return parts[..., 3] if vector is None else (parts[..., :3] * vector[:, None, None, :]).sum(axis=-1)


def evaluate(polynomial: Quadratic, part: int, x: Field, y: Field) -> Array:
    c = [polynomial[:, part, i, None, None] for i in range(6)]
    return (c[0] + x * (c[1] + x * c[3])) + y * (c[2] + x * c[4] + y * c[5])


def shade(passes: Quadratic, x: Field, y: Field, inside: float, outside: float) -> Array:
    """How much the toy hides a light from a place on the ground: 1 in full shadow, falling off softly."""
    nearest = jnp.asarray(outside)
    for part in range(passes.shape[1]):
        size = 1.0 if part < NUM_ELLIPSOIDS else BLOCK_SIZE
        nearest = jnp.minimum(nearest, evaluate(passes, part, x, y) / size)
    return jnp.clip((outside - nearest) / (outside - inside), 0, 1)


class Solids:
    """The parts of a batch of toys under parallel rays: of each, its height toward the camera at x right + y up."""

    def __init__(
        self,
        parts: Parts,
        right: Float[Array, "batch 3"],
        up: Float[Array, "batch 3"],
        to_camera: Float[Array, "batch 3"],
    ) -> None:
        # a point in the frame of a part is start + x right + y up + height toward
        self.frame = jnp.stack([mapped(parts, v) for v in (None, right, up, to_camera)], axis=2)
        self.normals = jnp.einsum("bpki,bpij->bpkj", self.frame, parts[..., :3])
        toward = self.frame[:, :, 3]
        square = (toward * toward).sum(axis=-1)
        self.passes = passing(parts, right, up, to_camera) / square[..., None]
        self.reach = 1 / square
        # height at which a ray is level with the centre of a ball, and of the three pairs of faces of a block
        self.middle = -(self.frame[:, :, :3] * toward[:, :, None]).sum(axis=-1) / square[..., None]
        steep = jnp.where(jnp.abs(toward) < rt.NEARLY_ZERO, rt.NEARLY_ZERO, toward)
        self.faces = -self.frame[:, :, :3] / steep[:, :, None]
        self.thickness = 1 / jnp.abs(steep)
        self.face_normals = parts[..., :3] * jnp.sign(steep)[..., None]

    def nearest(self, x: Field, y: Field) -> tuple[Array, rt.Vector]:
        """Height of what a ray meets first (-FAR if nothing), and its normal, not of unit length."""
        height = jnp.asarray(-rt.FAR)
        normal: rt.Vector = (0.0, 0.0, 1.0)
        for part in range(self.frame.shape[1]):
            hit, top, outward = (self.ball if part < NUM_ELLIPSOIDS else self.block)(part, x, y)
            nearer = hit & (top > height)
            height = jnp.where(nearer, top, height)
            normal = rt.select(nearer, outward, normal)
        return height, normal

    def ball(self, part: int, x: Field, y: Field) -> tuple[Array, Array, rt.Vector]:
        left = self.reach[:, part, None, None] - evaluate(self.passes, part, x, y)
        m = [self.middle[:, part, i, None, None] for i in range(3)]
        height = m[0] + x * m[1] + y * m[2] + jnp.sqrt(jnp.maximum(left, 0))
        normal = []
        for i in range(3):
            n = [self.normals[:, part, k, i, None, None] for k in range(4)]
            normal.append(n[0] + x * n[1] + y * n[2] + height * n[3])
        return left > 0, height, (normal[0], normal[1], normal[2])

    def block(self, part: int, x: Field, y: Field) -> tuple[Array, Array, rt.Vector]:
        top, bottom, normal = jnp.asarray(rt.FAR), jnp.asarray(-rt.FAR), [jnp.zeros(())] * 3
        for i in range(3):
            f = [self.faces[:, part, k, i, None, None] for k in range(3)]
            middle, half = f[0] + x * f[1] + y * f[2], self.thickness[:, part, i, None, None]
            lower = middle + half < top
            top = jnp.where(lower, middle + half, top)
            normal = [jnp.where(lower, self.face_normals[:, part, i, j, None, None], normal[j]) for j in range(3)]
            bottom = jnp.maximum(bottom, middle - half)
        return bottom < top, top, (normal[0], normal[1], normal[2])
