"""A small ray tracer for the rendered twins: convex solids as spans along a ray, met in closed form.

A ray meets a convex solid in one span, from `enter` to `exit`; the intersection of solids is the intersection of their
spans. Half spaces, slabs, spheres, cylinders and cones, and what can be cut out of them, are all that the twins need,
so there is no marching and no iteration.

Vectors are tuples of three arrays, not an array with an axis of length 3: every array then has the pixels innermost
and the whole picture compiles to a few fused passes. The arrays need only broadcast against each other; what is
constant over an image has shape [batch, 1, 1], what varies over it [batch, row, column].
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Field = Float[Array, "..."] | float
Vector = tuple[Field, Field, Field]

FAR = 1e6  # farther than anything in a scene; finite, so that products with it are never NaN
NEARLY_ZERO = 1e-7  # keeps a ray that runs along a face from dividing by zero

# Where in a pixel the rays go through, columns then rows: each quarter of either axis is met once (rotated grid), so
# four rays give edges that are nearly upright or nearly level four grey steps, as a 4 x 4 grid would.
ROTATED_GRID = np.array([[0.375, 0.125], [0.875, 0.375], [0.125, 0.625], [0.625, 0.875]])


class Ray(NamedTuple):
    """Points origin + t * direction; the direction need not have length 1."""

    origin: Vector
    direction: Vector


class Span(NamedTuple):
    """Where a ray is inside a solid, empty if enter >= exit; `normal` is the outward unit normal at `enter`."""

    enter: Field
    exit: Field
    normal: Vector


class Surface(NamedTuple):
    """The nearest thing met so far: its distance, outward normal and colour (a tuple of any length)."""

    distance: Field
    normal: Vector
    color: tuple[Field, ...]


def dot(a: Vector, b: Vector) -> Field:
    return _sum(_sum(_product(a[0], b[0]), _product(a[1], b[1])), _product(a[2], b[2]))


def add(a: Vector, b: Vector) -> Vector:
    return (_sum(a[0], b[0]), _sum(a[1], b[1]), _sum(a[2], b[2]))


def subtract(a: Vector, b: Vector) -> Vector:
    return add(a, times(-1.0, b))


def times(factor: Field, a: Vector) -> Vector:
    return (_product(factor, a[0]), _product(factor, a[1]), _product(factor, a[2]))


def normalized(a: Vector) -> Vector:
    return times(1 / jnp.sqrt(jnp.asarray(dot(a, a))), a)


def along(ray: Ray, distance: Field) -> Vector:
    """The point at `distance` along the ray."""
    return add(ray.origin, times(distance, ray.direction))


def select(condition: Array | bool, a: Vector, b: Vector) -> Vector:
    return (
        jnp.where(condition, a[0], b[0]),
        jnp.where(condition, a[1], b[1]),
        jnp.where(condition, a[2], b[2]),
    )


def half_space(ray: Ray, normal: Vector, offset: Field) -> Span:
    """The points p with normal . p <= offset."""
    rate = _off_zero(dot(normal, ray.direction))
    crossing = (offset - dot(normal, ray.origin)) / rate
    entering = rate < 0
    return Span(jnp.where(entering, crossing, -FAR), jnp.where(entering, FAR, crossing), normal)


def slab(ray: Ray, axis: Vector, low: Field, high: Field) -> Span:
    """The points p with low <= axis . p <= high."""
    inverse = 1 / _off_zero(dot(axis, ray.direction))
    start = dot(axis, ray.origin)
    first, second = (low - start) * inverse, (high - start) * inverse
    return Span(jnp.minimum(first, second), jnp.maximum(first, second), times(-jnp.sign(inverse), axis))


def box(ray: Ray, low: Vector, high: Vector) -> Span:
    """The axis-aligned box between two corners."""
    axes = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    return intersection(*(slab(ray, axis, low[i], high[i]) for i, axis in enumerate(axes)))


def sphere(ray: Ray, center: Vector, radius: Field) -> Span:
    start = subtract(ray.origin, center)
    enter, leave, _ = _roots(
        dot(ray.direction, ray.direction), dot(start, ray.direction), dot(start, start) - radius * radius
    )
    return Span(enter, leave, times(1 / radius, add(start, times(enter, ray.direction))))


def cylinder(ray: Ray, center: Vector, axis: Vector, radius: Field) -> Span:
    """The endless cylinder about the line through `center` along the unit vector `axis`."""
    start = _across(subtract(ray.origin, center), axis)
    direction = _across(ray.direction, axis)
    enter, leave, _ = _roots(dot(direction, direction), dot(start, direction), dot(start, start) - radius * radius)
    return Span(enter, leave, times(1 / radius, add(start, times(enter, direction))))


def cone(ray: Ray, apex: Vector, axis: Vector, slope: Field) -> Span:
    """The endless cone that opens from `apex` along the unit vector `axis`, `slope` = radius / height.

    A line steeper than the cone is inside it beyond one root or before the other; it also meets the mirrored
    cone behind the apex, which is left out.
    """
    start = subtract(ray.origin, apex)
    height, climb = dot(start, axis), dot(ray.direction, axis)
    spread = 1 + slope * slope
    first, second, quadratic = _roots(
        dot(ray.direction, ray.direction) - spread * climb * climb,
        dot(start, ray.direction) - spread * height * climb,
        dot(start, start) - spread * height * height,
    )
    steep = quadratic < 0
    forward = climb > 0
    enter = jnp.where(steep, jnp.where(forward, jnp.maximum(first, second), -FAR), first)
    leave = jnp.where(steep, jnp.where(forward, FAR, jnp.minimum(first, second)), second)
    # a gentle line that meets the mirrored cone instead
    mirrored = ~steep & (height + first * climb < 0)
    point = add(start, times(enter, ray.direction))
    outward = subtract(point, times(spread * dot(point, axis), axis))
    return Span(jnp.where(mirrored, FAR, enter), jnp.where(mirrored, -FAR, leave), normalized(outward))


def intersection(*spans: Span) -> Span:
    """The span of the points that are inside all of the solids."""
    result = spans[0]
    for span in spans[1:]:
        later = span.enter > result.enter
        result = Span(
            jnp.where(later, span.enter, result.enter),
            jnp.minimum(result.exit, span.exit),
            select(later, span.normal, result.normal),
        )
    return result


def capsule(ray: Ray, start: Vector, end: Vector, axis: Vector, radius: Field) -> Span:
    """The points within `radius` of the segment from `start` to `end`; `axis` is the unit vector along it."""
    tube = intersection(cylinder(ray, start, axis, radius), slab(ray, axis, dot(axis, start), dot(axis, end)))
    return hull(tube, sphere(ray, start, radius), sphere(ray, end, radius))


def hull(*spans: Span) -> Span:
    """The span from the first entry to the last exit: the union of solids whose union is convex."""
    result = spans[0]
    for span in spans[1:]:
        met = span.enter < span.exit
        earlier = met & ((span.enter < result.enter) | (result.enter >= result.exit))
        result = Span(
            jnp.where(earlier, span.enter, result.enter),
            jnp.where(met, jnp.maximum(result.exit, span.exit), result.exit),
            select(earlier, span.normal, result.normal),
        )
    return result


def choose(condition: Array | bool, a: Span, b: Span) -> Span:
    """Per image (or pixel), the span of one solid or the other."""
    return Span(
        jnp.where(condition, a.enter, b.enter),
        jnp.where(condition, a.exit, b.exit),
        select(condition, a.normal, b.normal),
    )


def is_hit(span: Span) -> Array:
    """Whether a ray that starts outside meets the solid ahead of its origin."""
    return jnp.asarray((span.enter < span.exit) & (span.enter > 0))


def in_front(surface: Surface, span: Span, color: tuple[Field, ...]) -> Surface:
    """The nearer of what was met so far and a solid of the given colour."""
    nearer = is_hit(span) & (span.enter < surface.distance)
    return Surface(
        jnp.where(nearer, span.enter, surface.distance),
        select(nearer, span.normal, surface.normal),
        tuple(jnp.where(nearer, new, old) for new, old in zip(color, surface.color)),
    )


def averaged(
    render: Callable[[Float[Array, "1 1 column"], Float[Array, "1 row 1"]], tuple[Array, ...]],
    rows: int,
    columns: int,
    offsets: Float[np.ndarray, "ray 2"] = ROTATED_GRID,
) -> tuple[Array, ...]:
    """The mean of `render(x, y)` over several rays a pixel; x and y are edge coordinates (0 at the picture's edge).

    A compiled loop over the rays keeps what is in flight small enough for a CPU's cache. `render` returns a tuple of
    pictures: joined into one array there, XLA would trace every ray once for each of them.
    """
    column, row = jnp.arange(columns, dtype=jnp.float32), jnp.arange(rows, dtype=jnp.float32)

    def one(offset: Float[Array, "2"]) -> tuple[Array, ...]:
        return render((column + offset[0])[None, None, :], (row + offset[1])[None, :, None])

    def accumulate(total: tuple[Array, ...], offset: Float[Array, "2"]) -> tuple[tuple[Array, ...], None]:
        return tuple(old + new for old, new in zip(total, one(offset))), None

    steps = jnp.asarray(offsets, jnp.float32)
    zeros = tuple(jnp.zeros(picture.shape, picture.dtype) for picture in jax.eval_shape(one, steps[0]))
    total, _ = jax.lax.scan(accumulate, zeros, steps)
    return tuple(picture / len(offsets) for picture in total)


def regular_grid(samples: int) -> Float[np.ndarray, "ray 2"]:
    """`samples` x `samples` evenly spaced places in a pixel."""
    places = (np.arange(samples) + 0.5) / samples
    return np.stack(np.meshgrid(places, places), axis=-1).reshape(-1, 2)


# Zeros written in a scene are left out here, because a compiler must keep 0 * x and x + 0 (x may be NaN, or -0).
def _product(a: Field, b: Field) -> Field:
    return 0.0 if _is_zero(a) or _is_zero(b) else a * b


def _sum(a: Field, b: Field) -> Field:
    if _is_zero(a):
        return b
    return a if _is_zero(b) else a + b


def _is_zero(a: Field) -> bool:
    return isinstance(a, float | int) and a == 0


def _off_zero(value: Field) -> Array:
    return jnp.where(jnp.abs(value) < NEARLY_ZERO, NEARLY_ZERO, value)


def _across(a: Vector, axis: Vector) -> Vector:
    """The part of `a` at right angles to the unit vector `axis`."""
    return subtract(a, times(dot(a, axis), axis))


def _roots(quadratic: Field, half_linear: Field, constant: Field) -> tuple[Array, Array, Array]:
    """The roots of q t^2 + 2 h t + c, smaller first if q > 0, or (FAR, -FAR) if there are none; and q kept off 0."""
    quadratic = _off_zero(quadratic)
    discriminant = half_linear * half_linear - quadratic * constant
    root = jnp.sqrt(jnp.maximum(discriminant, 0.0))
    inverse = 1 / quadratic
    exists = discriminant > 0
    first = jnp.where(exists, (-half_linear - root) * inverse, FAR)
    second = jnp.where(exists, (root - half_linear) * inverse, -FAR)
    return first, second, quadratic
