"""Cars3D drawn: 183 cars of one parametric family on white, seen from 24 directions and 4 elevations.

The published images (Reed et al. 2015, made from CAD models of Fidler et al. 2012) are stood in for, not copied: a car
is a body, a cabin with windows, four wheels and lamps, and its index chooses a type (saloon, hatchback, van, ...),
proportions and a paint. Size, place, background and the small effect of elevation follow published figures. So what the
`object_type` factor looks like, and how hard it is to learn, is only similar.
"""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

from factorgrid.datasets.dataset import DeviceDataset
from factorgrid.datasets.rendered import ray_tracer as rt
from factorgrid.datasets.rendered.ray_tracer import Field
from factorgrid.factors import FactorSpace

NUM_CARS = 183
CARS3D_SPACE = FactorSpace(("elevation", "azimuth", "object_type"), (4, 24, NUM_CARS))

# Rows and columns of the published pictures in which a car may be seen; the rest is white.
TOP, BOTTOM = 12, 54
CENTER = (32.0, 32.5)  # edge coordinates of the car's middle
FIRST_ELEVATION, ELEVATION_STEP = 2.0, 5.0  # degrees

# Light: even, from above, and from the camera.
AMBIENT, SKYLIGHT, HEADLIGHT = 0.46, 0.34, 0.3
GLASS, TYRE, HUB, UNDERSIDE = (0.16, 0.18, 0.2), (0.13, 0.13, 0.14), (0.68, 0.68, 0.7), (0.1, 0.1, 0.1)
FRONT_LAMP, REAR_LAMP, GRILLE, PLATE = (0.95, 0.94, 0.85), (0.75, 0.05, 0.05), (0.12, 0.12, 0.13), (0.93, 0.93, 0.88)

SEED = 20150715  # of the cars' proportions
NUM_CANDIDATES = 4000  # random cars, of which the 183 that differ most are kept


class Car(NamedTuple):
    """A car, x forward, y left, z up from the ground; lengths in pixels, places along x in parts of the length.

    Attributes:
        length, width, height, clearance, belt: of the whole; `belt` is where the windows begin.
        nose, tail: heights of the front and rear end.
        cowl, roof_front, roof_rear, deck: feet and tops of windscreen and rear window along x.
        taper: width of the roof in parts of the body's.
        wheel, front_axle, rear_axle: radius and places.
        pillar, last_window: middle of the post between the side windows, and where these end.
        lamp: half width of the gap between the lamps, in parts of the half width.
        red, green, blue: paint; lower_red, ...: of the part below a line at `line` (in parts of the belt's height).
    """

    length: Field
    width: Field
    height: Field
    clearance: Field
    belt: Field
    nose: Field
    tail: Field
    cowl: Field
    roof_front: Field
    roof_rear: Field
    deck: Field
    taper: Field
    wheel: Field
    front_axle: Field
    rear_axle: Field
    pillar: Field
    last_window: Field
    lamp: Field
    red: Field
    green: Field
    blue: Field
    lower_red: Field
    lower_green: Field
    lower_blue: Field
    line: Field


# Middle values of the types: length, width, height, belt, nose, tail, cowl, roof front, roof rear, deck, last window.
TYPES = {
    "saloon": (56, 22, 18.0, 0.60, 0.72, 0.80, 0.20, 0.05, -0.20, -0.33, -0.5),
    "hatchback": (52, 22, 20.5, 0.56, 0.72, 0.85, 0.25, 0.10, -0.36, -0.48, -0.5),
    "people carrier": (57, 23, 22.5, 0.52, 0.70, 0.85, 0.33, 0.14, -0.42, -0.49, -0.5),
    "estate": (58, 22, 18.5, 0.58, 0.72, 0.85, 0.20, 0.06, -0.42, -0.49, -0.5),
    "van": (58, 25, 27.5, 0.52, 0.70, 0.95, 0.40, 0.29, -0.48, -0.495, 0.14),
    "pickup": (58, 23, 20.5, 0.58, 0.85, 0.95, 0.18, 0.09, -0.10, -0.15, -0.5),
    "sports car": (55, 23, 14.5, 0.62, 0.78, 0.85, 0.17, -0.03, -0.18, -0.40, -0.5),
    "off-roader": (53, 24, 24.0, 0.58, 0.88, 0.95, 0.20, 0.13, -0.44, -0.49, -0.5),
    "coupe": (55, 22, 16.5, 0.60, 0.66, 0.88, 0.17, 0.00, -0.18, -0.42, -0.5),
}

# Paints in 8 bits.
PAINTS = (
    (240, 185, 20), (200, 25, 30), (90, 170, 50), (235, 235, 235), (150, 155, 160), (60, 62, 66), (30, 70, 170),
    (90, 150, 220), (245, 130, 30), (110, 30, 45), (70, 90, 50), (215, 200, 160), (20, 110, 110), (130, 70, 150),
)  # fmt: skip


class Cars3DTwin(DeviceDataset):
    """Factors: elevation of the camera, azimuth in steps of 15 degrees (0 is the front), the car.

    Attributes:
        cars: the parameters of the 183 cars, one row each, columns as in `Car`.
    """

    name: str = eqx.field(static=True, default="cars3d_twin")
    space: FactorSpace = eqx.field(static=True, default=CARS3D_SPACE)
    image_shape: tuple[int, int, int] = eqx.field(static=True, default=(64, 64, 3))
    deterministic: bool = eqx.field(static=True, default=True)
    cars: Float[Array, "car parameter"] = eqx.field(default_factory=lambda: jnp.asarray(all_cars()))

    def images(self, key: Key[Array, ""], factors: Int[Array, "batch factor"]) -> Float[Array, "batch 64 64 3"]:
        rows = self.cars[factors[:, 2]]
        car = Car(*(rows[:, i, None, None] for i in range(rows.shape[1])))
        elevation, azimuth = (factors[:, i, None, None].astype(jnp.float32) for i in (0, 1))
        elevation, azimuth = jnp.radians(FIRST_ELEVATION + ELEVATION_STEP * elevation), jnp.radians(15.0 * azimuth)
        picture = jnp.stack(traced(car, elevation, azimuth), axis=-1)
        return jnp.ones((len(factors), 64, 64, 3)).at[:, TOP:BOTTOM].set(picture)


def all_cars() -> Float[np.ndarray, "car parameter"]:
    """The 183 cars: of many random ones, each in turn the one least like those chosen so far."""
    rng = np.random.default_rng(SEED)
    candidates = np.array([random_car(rng) for _ in range(NUM_CANDIDATES)], np.float32)
    # paint counts as much as shape: three columns of it against six or so that shape the outline
    weights = np.zeros(len(Car._fields))
    for name, scale in (("length", 4), ("height", 2), ("belt", 1.5), ("cowl", 0.08), ("roof_front", 0.08),
                        ("roof_rear", 0.12), ("deck", 0.12), ("red", 0.15), ("green", 0.15), ("blue", 0.15),
                        ("lower_red", 0.5), ("lower_green", 0.5), ("lower_blue", 0.5)):  # fmt: skip
        weights[Car._fields.index(name)] = 1 / scale
    places = candidates * weights
    chosen = [0]
    nearest = np.full(NUM_CANDIDATES, np.inf)
    for _ in range(NUM_CARS - 1):
        nearest = np.minimum(nearest, ((places - places[chosen[-1]]) ** 2).sum(axis=1))
        chosen.append(int(nearest.argmax()))
    return candidates[chosen]


def random_car(rng: np.random.Generator) -> Car:
    """One car: a type with every proportion changed a little, and one or two paints."""
    middle = list(TYPES.values())[rng.integers(len(TYPES))]
    length, width, height = (value * rng.uniform(0.93, 1.03) for value in middle[:3])
    nose, tail, cowl, roof_front, roof_rear, deck, last = middle[4:]
    belt = height * (middle[3] + rng.uniform(-0.03, 0.03))
    slope = rng.uniform(-0.02, 0.02, size=4)
    wheel = min(rng.uniform(3.9, 4.8), 0.44 * belt)  # below the bonnet
    paint = np.array(PAINTS[rng.integers(len(PAINTS))]) / 255 * rng.uniform(0.8, 1.05)
    paint = np.clip(paint + rng.uniform(-0.05, 0.05, size=3), 0.05, 1)
    lower = paint if rng.random() < 0.7 else np.array(PAINTS[rng.integers(len(PAINTS))]) / 255
    return Car(
        length=length,
        width=width,
        height=height,
        clearance=rng.uniform(2.0, 3.2),
        belt=belt,
        nose=belt * nose,
        tail=belt * tail,
        cowl=cowl + slope[0],
        roof_front=roof_front + slope[1],
        roof_rear=roof_rear + slope[2],
        deck=max(deck + slope[3], -0.495),
        taper=rng.uniform(0.74, 0.92),
        wheel=wheel,
        front_axle=rng.uniform(0.29, 0.34),
        rear_axle=rng.uniform(-0.34, -0.28),
        pillar=rng.uniform(-0.1, -0.02),
        last_window=last,
        lamp=rng.uniform(0.45, 0.7),
        red=paint[0],
        green=paint[1],
        blue=paint[2],
        lower_red=lower[0],
        lower_green=lower[1],
        lower_blue=lower[2],
        line=rng.uniform(0.5, 0.75),
    )


def traced(car: Car, elevation: Array, azimuth: Array) -> tuple[Array, ...]:
    """Red, green and blue of the rows TOP..BOTTOM."""
    level, rise = jnp.cos(elevation), jnp.sin(elevation)
    cosine, sine = jnp.cos(azimuth), jnp.sin(azimuth)
    to_camera: rt.Vector = (cosine * level, sine * level, rise)
    right: rt.Vector = (-sine, cosine, 0.0)
    up: rt.Vector = (-cosine * rise, -sine * rise, level)
    middle: rt.Vector = (0.0, 0.0, car.height / 2)
    start = rt.add(middle, rt.times(200.0, to_camera))

    def color(x: Field, y: Field) -> tuple[Array, ...]:
        aside = rt.add(rt.times(x - CENTER[0], right), rt.times(CENTER[1] - TOP - y, up))
        ray = rt.Ray(rt.add(start, aside), rt.times(-1.0, to_camera))
        met = rt.Surface(rt.FAR, (0.0, 0.0, 1.0), (1.0, 1.0, 1.0))
        for span, paint in (body(ray, car), cabin(ray, car), *wheels(ray, car)):
            met = rt.in_front(met, span, lit(paint, span.normal, to_camera))
        return tuple(jnp.asarray(channel) for channel in met.color)

    return rt.averaged(color, BOTTOM - TOP, 64)


def lit(paint: rt.Vector, normal: rt.Vector, to_camera: rt.Vector) -> rt.Vector:
    above = jnp.asarray(rt.dot(normal, (0.0, 0.0, 1.0)))
    facing = jnp.maximum(jnp.asarray(rt.dot(normal, to_camera)), 0)
    intensity = AMBIENT + SKYLIGHT * (0.5 + 0.5 * above) + HEADLIGHT * facing
    return (paint[0] * intensity, paint[1] * intensity, paint[2] * intensity)


def leaning(foot: tuple[Field, Field], top: tuple[Field, Field], outward: float) -> tuple[rt.Vector, Field]:
    """Normal and offset of the plane through two points (x, z), with the side of larger x outside if `outward` is 1."""
    along_x, along_z = top[0] - foot[0], top[1] - foot[1]
    length = jnp.hypot(along_x, along_z) * outward
    normal: rt.Vector = (along_z / length, 0.0, -along_x / length)
    return normal, normal[0] * foot[0] + normal[2] * foot[1]


def body(ray: rt.Ray, car: Car) -> tuple[rt.Span, rt.Vector]:
    """The body below the windows: its span and the colour where it is met."""
    front, half = car.length / 2, car.width / 2
    bonnet = leaning((front, car.nose), (car.cowl * car.length, car.belt), 1.0)
    boot = leaning((-front, car.tail), (car.deck * car.length, car.belt), -1.0)
    span = rt.intersection(
        rt.slab(ray, (1.0, 0.0, 0.0), -front, front),
        rt.slab(ray, (0.0, 1.0, 0.0), -half, half),
        rt.slab(ray, (0.0, 0.0, 1.0), car.clearance, car.belt),
        rt.half_space(ray, *bonnet),
        rt.half_space(ray, *boot),
    )
    x, y, z = rt.along(ray, span.enter)
    below = z < car.line * car.belt
    paint = rt.select(below, (car.lower_red, car.lower_green, car.lower_blue), (car.red, car.green, car.blue))
    side = jnp.abs(y)
    # wheel arches
    for axle in (car.front_axle, car.rear_axle):
        arch = (x - axle * car.length) ** 2 + (z - car.wheel) ** 2 < (1.15 * car.wheel) ** 2
        paint = rt.select(arch & (side > half - 0.1), UNDERSIDE, paint)
    at_front, at_rear = x > front - 1.2, x < -front + 1.2
    high = (z > 0.55 * car.nose) & (z < 0.9 * car.nose)
    lamp = side > car.lamp * half
    paint = rt.select(at_front & high & lamp, FRONT_LAMP, paint)
    paint = rt.select(at_front & high & (side < 0.8 * car.lamp * half), GRILLE, paint)
    paint = rt.select(at_rear & (z > 0.55 * car.tail) & (z < 0.9 * car.tail) & (side > 0.7 * half), REAR_LAMP, paint)
    plate = (at_front | at_rear) & (side < 0.25 * half) & (jnp.abs(z - car.clearance - 2) < 0.8)
    paint = rt.select(plate, PLATE, paint)
    return span, rt.select(z < car.clearance + 0.8, UNDERSIDE, paint)


def cabin(ray: rt.Ray, car: Car) -> tuple[rt.Span, rt.Vector]:
    """The cabin: its span, and glass or paint where it is met."""
    half = car.width / 2
    front = leaning((car.cowl * car.length, car.belt), (car.roof_front * car.length, car.height), 1.0)
    rear = leaning((car.deck * car.length, car.belt), (car.roof_rear * car.length, car.height), -1.0)
    inward = half * (1 - car.taper)
    slant = jnp.hypot(inward, car.height - car.belt)
    outward, lean = (car.height - car.belt) / slant, inward / slant
    offset = outward * half + lean * car.belt
    span = rt.intersection(
        rt.slab(ray, (0.0, 0.0, 1.0), car.belt - 1, car.height),
        rt.half_space(ray, *front),
        rt.half_space(ray, *rear),
        rt.half_space(ray, (0.0, outward, lean), offset),
        rt.half_space(ray, (0.0, -outward, lean), offset),
    )
    point = rt.along(ray, span.enter)
    x, y, z = point
    to_front, to_rear = front[1] - rt.dot(front[0], point), rear[1] - rt.dot(rear[0], point)
    to_side = offset - outward * jnp.abs(y) - lean * z
    tall = car.height - car.belt
    high = (z > car.belt + 0.12 * tall) & (z < car.height - 0.2 * tall)
    post = jnp.abs(x / car.length - car.pillar) < 0.014
    side_glass = (to_side < 0.1) & (to_front > 1.2) & (to_rear > 1.6) & ~post & (x > car.last_window * car.length)
    end_glass = (jnp.minimum(to_front, to_rear) < 0.1) & (to_side > 1.0)
    paint = rt.select(high & (side_glass | end_glass), GLASS, (car.red, car.green, car.blue))
    return span, paint


def wheels(ray: rt.Ray, car: Car) -> list[tuple[rt.Span, rt.Vector]]:
    """Four tyres with lighter hubs."""
    axis = (0.0, 1.0, 0.0)
    outside, inside = car.width / 2 + 0.3, car.width / 2 - 4
    met = []
    for axle in (car.front_axle, car.rear_axle):
        center: rt.Vector = (axle * car.length, 0.0, car.wheel)
        round_part = rt.cylinder(ray, center, axis, car.wheel)
        for low, high in ((inside, outside), (-outside, -inside)):
            span = rt.intersection(round_part, rt.slab(ray, axis, low, high))
            x, _, z = rt.along(ray, span.enter)
            squared = (x - center[0]) ** 2 + (z - car.wheel) ** 2
            rim = (squared < (0.68 * car.wheel) ** 2) & (squared > (0.2 * car.wheel) ** 2)
            met.append((span, rt.select(rim, HUB, TYRE)))
    return met
