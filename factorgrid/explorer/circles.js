// The disc of Circles, pixel for pixel as datasets/rendered/circles.py draws it: a 30-gon whose corners are truncated
// to whole pixels, filled with both end pixels of every row. All in 32-bit floats, as there.

const NUM_CORNERS = 30;
const { fround } = Math;

// Pixels 0 or 1 [size, size] of a disc at (x, y) in 0..1, y upwards.
function drawDisc(x, y, size, scale) {
  const half = Math.PI / NUM_CORNERS;
  const radius = scale / Math.sqrt(NUM_CORNERS * Math.sin(half) * Math.cos(half));
  const corner = (i) => [[x, Math.cos(2 * half * i)], [y, Math.sin(2 * half * i)]]
    .map(([centre, part]) => Math.trunc(fround(fround(fround(centre) + fround(radius * part)) * size)));
  const corners = Array.from({ length: NUM_CORNERS }, (_, i) => corner(i));
  const left = new Float32Array(size).fill(Infinity), right = new Float32Array(size).fill(-Infinity);
  corners.forEach(([x1, y1], i) => {
    const [x0, y0] = corners[(i + NUM_CORNERS - 1) % NUM_CORNERS], slope = fround((x1 - x0) / (y1 === y0 ? 1 : y1 - y0));
    for (let row = Math.max(Math.min(y0, y1), 0); row <= Math.min(Math.max(y0, y1), size - 1); row++) {
      const crossing = fround(x0 + fround((row - y0) * slope));
      left[row] = Math.min(left[row], crossing);
      right[row] = Math.max(right[row], crossing);
    }
  });
  const pixels = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    const from = Math.max(Math.floor(fround(left[row] + 0.5)), 0), to = Math.min(Math.ceil(fround(right[row] - 0.5)), size - 1);
    for (let column = from; column <= to; column++) pixels[(size - 1 - row) * size + column] = 1;
  }
  return pixels;
}
