"""Shapes3D drawn from its geometry: one object on the floor of a square room, lit, seen from 15 directions.

The published frames (Burgess & Kim 2018) are the product of six factors: hues of floor, wall and object, and scale,
shape and orientation. Camera, sizes and light were measured on frames that the authors published; against 50 of
them the twin is off by 0.8 % of full scale (docs/twins.md). It leaves out what the originals have on top:
a faint hexagon texture, facets on round objects, JPEG-like noise.

The picture is linear in the three hues: of every pixel it is enough to know how much light comes from the floor,
the wall, the object, the sky and the object's highlight. These five maps depend on scale, shape and orientation alone,
480 combinations. So they are traced once, kept as bytes (9.8 MB), and an image is three colours times its maps.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key, UInt8

from factorgrid.datasets.dataset import DeviceDataset
from factorgrid.datasets.rendered import ray_tracer as rt
from factorgrid.factors import FactorSpace

SHAPES3D_SPACE = FactorSpace(
    ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation"), (10, 10, 10, 8, 4, 15)
)
GEOMETRY_SPACE = FactorSpace(("scale", "shape", "orientation"), (8, 4, 15))

# Lengths in half widths of the room; the object stands at the origin, z is up. All measured on published frames.
FOCAL_LENGTH = 69.5  # pixels of a 64 x 64 frame
CAMERA_DISTANCE, CAMERA_HEIGHT = 0.722, 0.2133
MAX_ANGLE = np.pi / 6  # of the 15 orientations, -30 to 30 degrees
MIN_SCALE, MAX_SCALE = 0.75, 1.25
WALL_HEIGHT = 0.567
CUBE_HALF_SIDE = 0.099
CYLINDER_RADIUS, CYLINDER_HEIGHT = 0.1075, 0.2135
SPHERE_RADIUS = 0.121
CAPSULE_RADIUS, CAPSULE_LENGTH = 0.093, 0.183  # length of the straight part

# Light. Intensities multiply the hue's colour; fitted to 50 published frames by least absolute error.
SKY_COLOR = (153 / 255, 226 / 255, 249 / 255)
LIGHT = (-0.238, 0.157, 1.0)  # direction to the fixed light, before normalisation
WALL_AMBIENT, WALL_HEADLIGHT, WALL_FALL_UP = 0.488, 0.571, 0.07
# of the right, left and far wall: intensity at the middle of its foot, and its fall along the wall
WALL_OFFSETS, WALL_FALLS = (-0.048, 0.113, 0.0), (0.036, 0.161, 0.094)
FLOOR_LEVEL, FLOOR_SPREAD, FLOOR_SHADOW = 1.25, 0.579, 0.33
POOL_CENTER = (-0.484, 0.129)  # of the light on the floor
OBJECT_AMBIENT, OBJECT_HEADLIGHT, OBJECT_FIXED_LIGHT = 0.334, 0.615, 0.694
HIGHLIGHT, HIGHLIGHT_FROM, HIGHLIGHT_RISE = 0.118, -0.042, 12.5

RAYS_PER_PIXEL = rt.regular_grid(4)
NUM_MAPS = 5  # floor, wall, object, sky, highlight
FULL_SCALE = 1.25  # intensity of byte 255; nothing is brighter, and 1 (the sky) is a whole byte
BATCH = 60  # geometries traced at a time


class Shapes3DTwin(DeviceDataset):
    """Factors: floor, wall and object hue (tenths of the colour circle), scale 0.75..1.25, shape, orientation.

    Attributes:
        maps: light of floor, wall, object, sky and highlight at each pixel, for each scale, shape and orientation.
    """

    name: str = eqx.field(static=True, default="shapes3d_twin")
    space: FactorSpace = eqx.field(static=True, default=SHAPES3D_SPACE)
    image_shape: tuple[int, int, int] = eqx.field(static=True, default=(64, 64, 3))
    deterministic: bool = eqx.field(static=True, default=True)
    maps: UInt8[Array, "geometry 5 64 64"] = eqx.field(default_factory=lambda: trace_all())

    def images(self, key: Key[Array, ""], factors: Int[Array, "batch factor"]) -> Float[Array, "batch 64 64 3"]:
        maps = self.maps[GEOMETRY_SPACE.index(factors[:, 3:])]
        return composed(maps.astype(jnp.float32) * (FULL_SCALE / 255), factors[:, :3])


def composed(maps: Float[Array, "batch 5 64 64"], hues: Int[Array, "batch 3"]) -> Float[Array, "batch 64 64 3"]:
    """Each map times its colour, added, clipped at 1; hues of floor, wall and object in 0..9."""
    colors = hue_color(hues / 10)
    sky = jnp.asarray(SKY_COLOR, jnp.float32)
    channels = []
    for c in range(3):
        light = sky[c] * maps[:, 3] + maps[:, 4]
        for material in range(3):
            light = light + colors[:, material, c, None, None] * maps[:, material]
        channels.append(jnp.minimum(light, 1.0))
    return jnp.stack(channels, axis=-1)


def hue_color(hue: Float[Array, "..."]) -> Float[Array, "... 3"]:
    """The colour HSV(hue, 1, 1), hue in [0, 1)."""
    shifted = hue[..., None] * 6 + jnp.asarray([0.0, 4.0, 2.0], jnp.float32)
    return jnp.clip(jnp.abs(shifted % 6 - 3) - 1, 0.0, 1.0)


def trace_all() -> UInt8[Array, "geometry 5 64 64"]:
    """The maps of all 480 geometries as bytes; about a second on a CPU."""
    geometries = GEOMETRY_SPACE.factors(jnp.arange(GEOMETRY_SPACE.num_points)).reshape(-1, BATCH, 3)
    return _trace_batches(geometries).reshape(-1, NUM_MAPS, 64, 64)


@jax.jit
def _trace_batches(geometries: Int[Array, "step batch 3"]) -> UInt8[Array, "step batch 5 64 64"]:
    def as_bytes(batch: Int[Array, "batch 3"]) -> UInt8[Array, "batch 5 64 64"]:
        return jnp.round(traced(batch) * (255 / FULL_SCALE)).astype(jnp.uint8)

    return jax.lax.map(as_bytes, geometries)


def traced(geometry: Int[Array, "batch 3"]) -> Float[Array, "batch 5 64 64"]:
    """The five maps of the given scales, shapes and orientations."""
    scale, shape, orientation = (geometry[:, i, None, None].astype(jnp.float32) for i in range(3))
    size = MIN_SCALE + (MAX_SCALE - MIN_SCALE) / 7 * scale
    angle = MAX_ANGLE * (orientation / 7 - 1)
    sine, cosine = jnp.sin(angle), jnp.cos(angle)
    to_camera = (sine, -cosine, 0.0)

    def light(x: rt.Field, y: rt.Field) -> tuple[Array, ...]:
        right, up = (x - 32) / FOCAL_LENGTH, (32 - y) / FOCAL_LENGTH
        ray = rt.Ray(
            (CAMERA_DISTANCE * sine, -CAMERA_DISTANCE * cosine, CAMERA_HEIGHT),
            (right * cosine - sine, right * sine + cosine, up),
        )
        wall, distance = seen_wall(ray, to_camera)
        solid = object_span(ray, shape, size)
        object_light, highlight = lit_object(solid.normal, to_camera)
        on_object = rt.is_hit(solid)
        below = up < 0
        floor_distance = -CAMERA_HEIGHT / jnp.minimum(up, -rt.NEARLY_ZERO)
        on_floor = below & (floor_distance < distance) & ~on_object
        floor = lit_floor(rt.along(ray, floor_distance), shape, size)
        on_wall = (distance < rt.FAR) & ~on_floor & ~on_object
        on_sky = ~(on_object | on_floor | on_wall)
        shares = ((on_floor, floor), (on_wall, wall), (on_object, object_light), (on_sky, 1.0), (on_object, highlight))
        return tuple(jnp.broadcast_arrays(*(jnp.where(there, level, 0.0) for there, level in shares)))

    return jnp.stack(rt.averaged(light, 64, 64, RAYS_PER_PIXEL), axis=1)


def seen_wall(ray: rt.Ray, to_camera: rt.Vector) -> tuple[rt.Field, Array]:
    """Intensity and distance of the wall that a ray meets; distance FAR above the walls."""
    intensity: rt.Field = 0.0
    distance = jnp.asarray(rt.FAR)
    walls = (((-1.0, 0.0, 0.0), 1), ((1.0, 0.0, 0.0), 1), ((0.0, -1.0, 0.0), 0))
    for (normal, aside), offset, fall in zip(walls, WALL_OFFSETS, WALL_FALLS):
        met = rt.half_space(ray, normal, -1.0)  # behind the wall: the room lies where -normal . p <= 1
        point = rt.along(ray, met.enter)
        level = WALL_AMBIENT + WALL_HEADLIGHT * jnp.maximum(rt.dot(normal, to_camera), 0)
        level = level + offset - fall * point[aside] - WALL_FALL_UP * point[2]
        seen = (met.enter > 0) & (jnp.abs(point[aside]) <= 1) & (point[2] <= WALL_HEIGHT) & (met.enter < distance)
        intensity = jnp.where(seen, level, intensity)
        distance = jnp.where(seen, met.enter, distance)
    return intensity, distance


def object_span(ray: rt.Ray, shape: Array, size: Array) -> rt.Span:
    """The object: 0 cube, 1 cylinder, 2 sphere, 3 capsule, on the floor at the origin."""
    up = (0.0, 0.0, 1.0)
    middle = (0.0, 0.0, 0.0)
    half, height = CUBE_HALF_SIDE * size, CYLINDER_HEIGHT * size
    cube = rt.box(ray, (-half, -half, 0.0), (half, half, 2 * half))
    can = rt.intersection(rt.cylinder(ray, middle, up, CYLINDER_RADIUS * size), rt.slab(ray, up, 0.0, height))
    ball = rt.sphere(ray, (0.0, 0.0, SPHERE_RADIUS * size), SPHERE_RADIUS * size)
    radius, top = CAPSULE_RADIUS * size, (CAPSULE_RADIUS + CAPSULE_LENGTH) * size
    capsule = rt.capsule(ray, (0.0, 0.0, radius), (0.0, 0.0, top), up, radius)
    return rt.choose(shape == 0, cube, rt.choose(shape == 1, can, rt.choose(shape == 2, ball, capsule)))


def lit_object(normal: rt.Vector, to_camera: rt.Vector) -> tuple[rt.Field, rt.Field]:
    """Intensity and white highlight of the object's surface."""
    fixed = rt.dot(normal, _unit(LIGHT))
    headlight = OBJECT_HEADLIGHT * jnp.maximum(rt.dot(normal, to_camera), 0)
    intensity = OBJECT_AMBIENT + headlight + OBJECT_FIXED_LIGHT * jnp.maximum(fixed, 0)
    highlight = HIGHLIGHT * jnp.clip(HIGHLIGHT_RISE * (fixed - HIGHLIGHT_FROM), 0, 1)
    return jnp.minimum(intensity, FULL_SCALE), highlight


def lit_floor(point: rt.Vector, shape: Array, size: Array) -> Array:
    """Intensity of the floor: a soft pool of light, and the hard shadow of the object."""
    squared = (point[0] - POOL_CENTER[0]) ** 2 + (point[1] - POOL_CENTER[1]) ** 2
    level = FLOOR_LEVEL * jnp.exp(-FLOOR_SPREAD * squared)
    # a ray toward the light, from just below the floor so that it starts outside the object
    start = rt.subtract(point, rt.times(0.01, LIGHT))
    shadowed = rt.is_hit(object_span(rt.Ray(start, LIGHT), shape, size))
    return jnp.where(shadowed, FLOOR_SHADOW, level)


def _unit(vector: tuple[float, float, float]) -> rt.Vector:
    x, y, z = np.asarray(vector) / np.linalg.norm(vector)
    return float(x), float(y), float(z)
