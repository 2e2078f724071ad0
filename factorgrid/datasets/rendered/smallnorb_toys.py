"""The fifty toys of the SmallNORB twin, built from ellipsoids and blocks; NumPy, run once.

Each of the five categories has ten instances that differ in proportions and in what they carry. A part is an affine map
to the unit ball or to the cube [-1, 1]^3, so that one formula serves all of them. x is forward, y left, z up from the
ground; lengths are pixels of a 64 x 64 picture.
"""

import numpy as np
from jaxtyping import Float
from numpy import ndarray

NUM_ELLIPSOIDS, NUM_BLOCKS = 11, 4
NUM_INSTANCES = 10
Number = float | int
Place = tuple[Number, Number, Number]


class Toy:
    """Collects the parts of one toy; unused parts lie far below the ground, where nothing sees them."""

    def __init__(self) -> None:
        self.ellipsoids: list[Float[ndarray, "3 4"]] = []
        self.blocks: list[Float[ndarray, "3 4"]] = []

    def ball(self, center: Place, radii: Place) -> None:
        """An ellipsoid along the axes."""
        self.ellipsoids.append(to_unit(np.diag(radii), center))

    def limb(self, start: Place, end: Place, radius: Number) -> None:
        """A long ellipsoid from one point to another."""
        middle, half = np.add(start, end) / 2, np.subtract(end, start) / 2
        ahead = half / np.linalg.norm(half)
        side = np.cross([0, 0, 1] if abs(ahead[2]) < 0.9 else [1, 0, 0], ahead)
        side /= np.linalg.norm(side)
        columns = [half * (1 + 0.5 * radius / np.linalg.norm(half)), side * radius, np.cross(ahead, side) * radius]
        self.ellipsoids.append(to_unit(np.stack(columns, axis=1), tuple(middle.tolist())))

    def wheel(self, x: Number, y: Number, radius: Number) -> None:
        self.ball((x, y, radius), (radius, 1.4, radius))

    def block(self, center: Place, half: Place, sweep: Number = 0.0, lean: Number = 0.0) -> None:
        """A block along the axes, sheared: x grows by `sweep` per unit of y and by `lean` per unit of z."""
        x, y, z = half
        self.blocks.append(to_unit(np.array([[x, sweep * y, lean * z], [0, y, 0], [0, 0, z]]), center))

    def parts(self) -> Float[ndarray, "part 3 4"]:
        """Ellipsoids, then blocks: from a point p to map[:, :3] p + map[:, 3]."""
        assert len(self.ellipsoids) <= NUM_ELLIPSOIDS, len(self.ellipsoids)
        assert len(self.blocks) <= NUM_BLOCKS, len(self.blocks)
        nothing = to_unit(np.eye(3) * 0.1, (0.0, 0.0, -500.0))
        balls = self.ellipsoids + [nothing] * (NUM_ELLIPSOIDS - len(self.ellipsoids))
        return np.stack([*balls, *self.blocks, *[nothing] * (NUM_BLOCKS - len(self.blocks))])


def to_unit(axes: Float[ndarray, "3 3"], center: Place) -> Float[ndarray, "3 4"]:
    """The map that takes the columns of `axes`, set at `center`, to the unit vectors."""
    inverse = np.linalg.inv(axes)
    return np.concatenate([inverse, -inverse @ np.asarray(center, float)[:, None]], axis=1)


def all_toys() -> Float[ndarray, "toy part 3 4"]:
    """Category by category (animal, human, airplane, truck, car), ten instances each."""
    kinds = ((animal, ANIMALS), (human, HUMANS), (airplane, AIRPLANES), (truck, TRUCKS), (car, CARS))
    return np.stack([build(*row).parts() for build, rows in kinds for row in rows]).astype(np.float32)


# Half body length, girth, legs' length and radius, neck's length and rise, head, tail's length and rise, horns.
ANIMALS = (
    (14.0, 7.0, 7.0, 2.0, 6.0, 0.2, 3.6, 6.0, -0.6, 1.5),  # cow
    (13.0, 5.5, 10.0, 1.5, 9.0, 0.9, 3.4, 8.0, -0.8, 0.0),  # horse
    (13.0, 9.0, 7.5, 3.2, 5.0, 0.2, 5.0, 4.0, -0.7, 4.0),  # elephant
    (14.0, 8.0, 4.5, 2.8, 5.0, -0.2, 4.4, 2.0, -0.5, 0.0),  # hippopotamus
    (9.0, 4.5, 11.0, 1.3, 15.0, 1.5, 2.8, 4.0, -0.9, 1.5),  # giraffe
    (14.0, 4.8, 5.5, 1.7, 5.0, 0.5, 4.2, 11.0, 0.1, 0.0),  # lion
    (11.0, 4.0, 6.0, 1.2, 5.0, 0.7, 2.8, 6.0, 0.9, 0.0),  # dog
    (11.0, 4.6, 9.0, 1.2, 8.0, 1.1, 2.8, 2.0, 0.3, 7.0),  # deer
    (13.0, 7.5, 5.0, 2.8, 4.0, 0.1, 4.0, 1.5, 0.0, 0.0),  # bear
    (11.0, 6.0, 6.0, 2.2, 13.0, 1.0, 2.6, 17.0, -0.1, 0.0),  # sauropod
)


def animal(
    half: Number,
    girth: Number,
    leg: Number,
    thickness: Number,
    neck: Number,
    neck_rise: Number,
    head: Number,
    tail: Number,
    tail_rise: Number,
    horns: Number,
) -> Toy:
    toy = Toy()
    height = leg + 0.8 * girth
    toy.ball((0, 0, height), (half, 0.85 * girth, girth))
    toy.ball((0.55 * half, 0, height + 0.05 * girth), (0.5 * half, 0.9 * girth, 0.98 * girth))
    for x in (0.62 * half, -0.66 * half):
        for y in (0.5 * girth, -0.5 * girth):
            toy.limb((x, y, height), (x, y, 0.5), thickness)
    length = np.hypot(1, neck_rise)
    start = (0.8 * half, 0, height + 0.3 * girth)
    end = (start[0] + neck / length, 0, start[2] + neck * neck_rise / length)
    toy.limb(start, end, 0.75 * head)
    toy.limb((end[0] - 0.5, 0, end[2] + 0.6), (end[0] + 1.7 * head, 0, end[2] - 0.7 * head), 0.8 * head)
    for y in (1.0, -1.0):
        tip = (end[0] - 0.4, y * (0.8 * head + 0.5 * horns), end[2] + 0.7 * head + 0.8 * horns)
        toy.limb((end[0], 0.6 * y * head, end[2] + 0.5 * head), tip, 0.9)
    length = np.hypot(1, tail_rise)
    back = (-0.9 * half, 0, height + 0.2 * girth)
    toy.limb(back, (back[0] - tail / length, 0, back[2] + tail * tail_rise / length), 0.35 * thickness + 0.5)
    return toy


# Height, girth, stance, stride, arms (forward, outward, up of left and right hand), length of what is carried.
HUMANS = (
    (34, 4.6, 3.0, 2.0, (8, 3, 1), (9, 1, 2), 26),  # rifleman
    (33, 4.2, 2.5, 7.0, (6, 3, 6), (-5, 4, -6), 0),  # runner
    (35, 5.0, 6.0, 0.0, (0, 11, 9), (0, 11, 9), 0),  # arms raised
    (34, 4.8, 4.0, 1.0, (1, 9, 0), (1, 9, 0), 0),  # arms spread
    (30, 5.6, 5.0, 5.0, (9, 0, 5), (6, 2, 4), 20),  # crouching gunner
    (36, 4.0, 2.0, 0.0, (0, 3, -9), (0, 3, -9), 0),  # standing still
    (34, 4.6, 3.5, 4.0, (-4, 3, -6), (10, 1, 4), 14),  # fencer
    (31, 6.5, 4.5, 0.0, (5, 4, -4), (5, 4, -4), 0),  # stout
    (35, 4.4, 3.0, 5.0, (2, 4, 12), (4, 3, -6), 30),  # spearman
    (33, 5.2, 7.0, 2.0, (3, 8, -5), (-3, 8, 10), 0),  # dancer
)


def human(
    height: Number, girth: Number, stance: Number, stride: Number, left: Place, right: Place, carried: Number
) -> Toy:
    toy = Toy()
    hip, shoulder = 0.45 * height, 0.76 * height
    toy.ball((0, 0, 0.5 * (hip + shoulder)), (0.7 * girth, girth, 0.62 * (shoulder - hip)))
    toy.ball((0, 0, hip), (0.65 * girth, 0.85 * girth, 3.0))
    toy.ball((0.5, 0, 0.9 * height), (2.7, 2.5, 3.2))
    toy.ball((0.3, 0, 0.95 * height), (3.3, 3.1, 1.6))
    hands = []
    for y, (ahead, outward, up) in ((1.0, left), (-1.0, right)):
        foot = (y * stride, y * stance, 0.8)
        toy.limb((0, 0.45 * y * girth, hip), foot, 2.0)
        toy.ball((foot[0] + 1.2, foot[1], 1.0), (2.6, 1.4, 1.2))
        top = (0.0, 0.85 * y * girth, shoulder - 1)
        hands.append((ahead, top[1] + y * outward, shoulder - 1 + up))
        toy.limb(top, hands[-1], 1.6)
    if carried:
        x, y, z = (np.add(hands[0], hands[1]) / 2).tolist()
        back, ahead = -0.4 * carried, 0.6 * carried
        direction = (0.8, -0.5, 0.35)
        ends = [tuple(p + reach * d for p, d in zip((x, y, z), direction)) for reach in (back, ahead)]
        toy.limb(ends[0], ends[1], 1.1)
    return toy


# Half length, radius, half span, chord and sweep of the wings, their height, span of the tail, engines, second wings.
AIRPLANES = (
    (21, 3.2, 21, 3.2, 0.45, -0.4, 8, 2, 0),  # airliner
    (20, 2.6, 13, 6.5, 0.95, 0.0, 7, 0, 0),  # jet fighter
    (16, 3.0, 19, 3.6, 0.0, 0.9, 7, 1, 0),  # high-wing trainer
    (15, 2.8, 17, 3.4, 0.0, -0.8, 6, 1, 1),  # biplane
    (22, 2.4, 14, 9.0, 1.1, -0.3, 2, 0, 0),  # delta wing
    (20, 4.4, 22, 3.8, 0.15, 0.9, 10, 4, 0),  # transporter
    (14, 2.2, 23, 2.2, 0.0, 0.3, 6, 0, 0),  # glider
    (19, 2.8, 15, 4.5, 0.7, 0.8, 8, 2, 0),  # attack aircraft
    (17, 3.6, 20, 4.4, 0.2, -0.7, 9, 2, 0),  # bomber
    (18, 2.4, 16, 4.0, -0.35, 0.0, 6, 1, 0),  # forward-swept
)


def airplane(
    half: Number,
    radius: Number,
    span: Number,
    chord: Number,
    sweep: Number,
    wing: Number,
    tail: Number,
    engines: int,
    biplane: Number,
) -> Toy:
    toy = Toy()
    height = 5 + radius
    toy.limb((-half, 0, height + 0.5), (half, 0, height), radius)
    toy.ball((0.55 * half, 0, height + 0.7 * radius), (0.2 * half, 0.55 * radius, 0.6 * radius))
    for y in (1.0, -1.0):
        place = (1.0 - 0.5 * sweep * span, y * 0.5 * span, height + wing * radius)
        toy.block(place, (chord, 0.5 * span, 0.7), sweep=-y * sweep)
        if biplane:
            toy.ball((1.5, 0.5 * y * span, height + 2.6 * radius), (1.1 * chord, 0.55 * span, 0.8))
        for number in range(engines // 2):
            across = y * (6.5 + 6 * number)
            toy.limb(
                (-1 - sweep * abs(across), across, place[2] - 1.2),
                (5 - sweep * abs(across), across, place[2] - 1.2),
                1.7,
            )
        toy.limb((-1, 0.4 * y * radius, height), (-2, 1.6 * y * radius, 1), 1.0)
    if engines == 1:
        toy.ball((half + 0.5, 0, height), (0.5, 5.5, 0.9))
    toy.block((-0.9 * half, 0, height + 0.8), (0.45 * chord, tail, 0.6))
    toy.block((-0.88 * half, 0, height + 0.9 * radius + 3), (0.5 * chord, 0.6, 3.6), lean=-0.6)
    return toy


# Half length, half width, wheels' radius, cab's length and height, bonnet's length, load's kind, height and width.
TRUCKS = (
    (18, 6.5, 3.0, 6, 13, 0, "box", 12, 1.0),
    (19, 6.0, 3.2, 6, 12, 6, "flat", 2, 1.0),
    (20, 6.0, 3.0, 6, 12, 0, "tank", 5.5, 1.0),
    (16, 7.0, 4.2, 7, 13, 5, "tip", 6, 1.05),
    (21, 5.8, 2.8, 5, 11, 4, "box", 14, 1.05),
    (17, 6.5, 3.4, 7, 12, 0, "flat", 4, 1.0),
    (17, 6.2, 3.0, 7, 10, 6, "tank", 4.5, 0.9),
    (19, 6.8, 3.6, 6, 14, 0, "tip", 8, 1.0),
    (15, 6.4, 3.2, 6, 12, 4, "box", 8, 0.9),
    (20, 6.0, 3.2, 8, 13, 3, "crane", 2, 1.0),
)


def truck(
    half: Number,
    width: Number,
    wheel: Number,
    cab: Number,
    cab_height: Number,
    bonnet: Number,
    load: str,
    load_height: Number,
    load_width: Number,
) -> Toy:
    toy = Toy()
    floor = wheel + 1.5
    toy.block((0, 0, floor), (half, 0.75 * width, 1.2))
    cab_middle = half - bonnet - cab / 2
    toy.block((cab_middle, 0, floor + cab_height / 2), (cab / 2, width, cab_height / 2), lean=-0.08)
    if bonnet:
        toy.block((half - bonnet / 2, 0, floor + 2.8), (bonnet / 2, 0.8 * width, 2.8))
    front = half - bonnet - cab - 1
    middle, reach = (front - half) / 2, (front + half) / 2
    low = floor + 1.2
    if load == "tank":
        toy.limb((-half + 1, 0, low + load_height), (front - 1, 0, low + load_height), load_height)
        toy.limb((-half + 5, 0, low + load_height), (front - 5, 0, low + load_height), 1.05 * load_height)
    else:
        height = load_height / 2
        toy.block((middle, 0, low + height), (reach, load_width * width, height), lean=-0.35 if load == "tip" else 0)
    if load == "crane":
        toy.limb((-half + 4, 0, low + 3), (half, 0, low + 14), 1.5)
        toy.ball((-half + 6, 0, low + 4), (3.5, 4, 4))
    for x in (half - 4, -half + 4, -half + 4 + 2.2 * wheel):
        for y in (width, -width):
            toy.wheel(x, y, wheel)
    return toy


# Half length, half width, height of body and cabin; cabin's front and rear in parts of half length; roundness; spoiler.
CARS = (
    (18, 7.5, 5.5, 5.0, 0.35, -0.55, 0.0, 0),  # saloon
    (16, 7.5, 6.0, 5.5, 0.45, -0.95, 0.0, 0),  # estate
    (19, 8.0, 4.5, 3.2, 0.20, -0.55, 0.0, 1),  # racer
    (15, 7.5, 6.0, 5.5, 0.40, -0.60, 1.0, 0),  # beetle
    (18, 7.5, 5.0, 0.0, 0.10, -0.40, 0.0, 0),  # open two-seater
    (17, 8.0, 7.0, 7.0, 0.50, -0.95, 0.0, 0),  # off-roader
    (14, 7.0, 6.0, 6.0, 0.55, -0.80, 0.5, 0),  # small car
    (20, 8.0, 5.5, 4.5, 0.25, -0.60, 0.5, 0),  # limousine
    (18, 7.5, 5.0, 4.0, 0.15, -0.70, 1.0, 1),  # coupe
    (17, 7.5, 6.5, 9.0, 0.70, -0.97, 0.0, 0),  # van
)


def car(
    half: Number,
    width: Number,
    body: Number,
    cabin: Number,
    front: Number,
    rear: Number,
    roundness: Number,
    spoiler: Number,
) -> Toy:
    toy = Toy()
    wheel = 3.0
    middle = 1.5 + body / 2
    toy.block((0, 0, middle), ((1 - 0.15 * roundness) * half, (1 - 0.1 * roundness) * width, body / 2))
    if roundness:
        toy.ball((0, 0, middle), (1.15 * half, 1.1 * width, 0.62 * body))
    else:
        toy.ball((0.9 * half, 0, middle), (0.16 * half, 0.9 * width, 0.45 * body))
    top = 1.5 + body
    center, reach = half * (front + rear) / 2, half * (front - rear) / 2
    if cabin and not roundness:
        toy.block((center + 0.06 * half, 0, top + cabin / 2), (0.9 * reach, 0.86 * width, cabin / 2), lean=-0.45)
        toy.block((center - 0.06 * half, 0, top + cabin / 2), (0.9 * reach, 0.86 * width, cabin / 2), lean=0.3)
    elif cabin:
        toy.ball((center, 0, top), (1.15 * reach, 0.9 * width, cabin))
    else:  # two seats and a windscreen
        toy.block((center + reach, 0, top + 1.5), (0.5, 0.8 * width, 2.0), lean=-0.6)
        for y in (0.4 * width, -0.4 * width):
            toy.ball((center - 1, y, top + 1), (1.2, 2.2, 2.6))
    if spoiler:
        toy.block((-0.92 * half, 0, top + 2.5), (1.6, 0.95 * width, 0.5))
    for x in (0.6 * half, -0.6 * half):
        for y in (width - 0.4, 0.4 - width):
            toy.wheel(x, y, wheel)
    return toy
