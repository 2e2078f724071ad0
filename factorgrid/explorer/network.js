// Networks as lists of layers (network.py says what each kind means), computed with plain loops.
// Numbers are held as doubles: the processor adds and multiplies those without conversion.

function bytesOf(text) {
  const binary = atob(text), bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

// 16-bit floats: 1 sign, 5 exponent and 10 fraction bits.
function fromHalf(bits) {
  const numbers = new Float64Array(bits.length);
  for (let i = 0; i < bits.length; i++) {
    const exponent = (bits[i] >> 10) & 31, fraction = bits[i] & 1023;
    const size = exponent ? (1024 + fraction) * 2 ** (exponent - 25) : fraction * 2 ** -24;
    numbers[i] = bits[i] >> 15 ? -size : size;
  }
  return numbers;
}

function numbersOf(text, precision) {
  const buffer = bytesOf(text).buffer;
  return precision === 'half' ? fromHalf(new Uint16Array(buffer)) : Float64Array.from(new Float32Array(buffer));
}

const sizeOf = (shape) => shape.reduce((product, size) => product * size, 1);

// A matrix [rows, columns] in panels of four columns, each row by row; columns that are missing are zero.
function packed(matrix, rows, columns) {
  const panels = Math.ceil(columns / 4), result = new Float64Array(panels * rows * 4);
  for (let p = 0; p < panels; p++) {
    for (let k = 0; k < rows; k++) {
      for (let j = 0; j < 4 && 4 * p + j < columns; j++) {
        result[(p * rows + k) * 4 + j] = matrix[k * columns + 4 * p + j];
      }
    }
  }
  return { panels: result, rows, columns };
}

// out[i, j] = bias[j] + sum over k of x[i, k] matrix[k, j]; out begins at `start`.
function multiply(x, num, matrix, bias, out, start, relu) {
  const { panels, rows, columns } = matrix;
  for (let p = 0; 4 * p < columns; p++) {
    const j = 4 * p, left = columns - j;
    const bias0 = bias ? bias[j] : 0, bias1 = bias && left > 1 ? bias[j + 1] : 0;
    const bias2 = bias && left > 2 ? bias[j + 2] : 0, bias3 = bias && left > 3 ? bias[j + 3] : 0;
    for (let i = 0; i < num; i += 2) {
      const both = i + 1 < num, second = both ? rows : 0;
      let a0 = bias0, a1 = bias1, a2 = bias2, a3 = bias3, b0 = bias0, b1 = bias1, b2 = bias2, b3 = bias3;
      for (let k = 0, at = i * rows, m = p * rows * 4; k < rows; k++, at++, m += 4) {
        const a = x[at], b = x[at + second];
        const m0 = panels[m], m1 = panels[m + 1], m2 = panels[m + 2], m3 = panels[m + 3];
        a0 += a * m0; a1 += a * m1; a2 += a * m2; a3 += a * m3;
        b0 += b * m0; b1 += b * m1; b2 += b * m2; b3 += b * m3;
      }
      if (relu) {
        a0 = a0 > 0 ? a0 : 0; a1 = a1 > 0 ? a1 : 0; a2 = a2 > 0 ? a2 : 0; a3 = a3 > 0 ? a3 : 0;
        b0 = b0 > 0 ? b0 : 0; b1 = b1 > 0 ? b1 : 0; b2 = b2 > 0 ? b2 : 0; b3 = b3 > 0 ? b3 : 0;
      }
      let o = start + i * columns + j;
      out[o] = a0;
      if (left > 1) out[o + 1] = a1;
      if (left > 2) out[o + 2] = a2;
      if (left > 3) out[o + 3] = a3;
      if (both) {
        o += columns;
        out[o] = b0;
        if (left > 1) out[o + 1] = b1;
        if (left > 2) out[o + 2] = b2;
        if (left > 3) out[o + 3] = b3;
      }
    }
  }
}

function denseLayer(layer, weight, bias) {
  const [inputs] = layer.input, [outputs] = layer.output;
  const matrix = packed(weight, inputs, outputs), out = new Float64Array(outputs);
  return (x) => { multiply(x, 1, matrix, bias, out, 0, layer.relu); return out; };
}

// The patches of one row of outputs at a time: few enough to stay in the cache.
function convLayer(layer, weight, bias) {
  const [height, width, inputs] = layer.input, [rows, columns, outputs] = layer.output;
  const [kernelHeight, kernelWidth] = layer.kernel, [above, before] = layer.before, { stride } = layer;
  const patch = kernelHeight * kernelWidth * inputs, matrix = packed(weight, patch, outputs);
  const patches = new Float64Array(columns * patch), out = new Float64Array(rows * columns * outputs);
  return (x) => {
    for (let row = 0; row < rows; row++) {
      patches.fill(0);
      for (let i = 0; i < kernelHeight; i++) {
        const y = row * stride - above + i;
        if (y < 0 || y >= height) continue;
        for (let column = 0; column < columns; column++) {
          const first = column * stride - before, from = Math.max(first, 0);
          const to = Math.min(first + kernelWidth, width);
          let place = column * patch + (i * kernelWidth + from - first) * inputs;
          for (let at = (y * width + from) * inputs; at < (y * width + to) * inputs; at++) patches[place++] = x[at];
        }
      }
      multiply(patches, columns, matrix, bias, out, row * columns * outputs, layer.relu);
    }
    return out;
  };
}

// One product gives each input's share in all outputs that it reaches; the shares are then added up.
function transposeLayer(layer, weight, bias) {
  const [height, width, inputs] = layer.input, [rows, columns, outputs] = layer.output;
  const [kernelHeight, kernelWidth] = layer.kernel, [above, before] = layer.before, { stride } = layer;
  const taps = kernelHeight * kernelWidth, turned = new Float64Array(weight.length);
  for (let t = 0; t < taps; t++) {
    for (let i = 0; i < inputs; i++) {
      for (let o = 0; o < outputs; o++) {
        turned[(i * taps + t) * outputs + o] = weight[(t * inputs + i) * outputs + o];
      }
    }
  }
  const matrix = packed(turned, inputs, taps * outputs);
  const shares = new Float64Array(height * width * taps * outputs), out = new Float64Array(rows * columns * outputs);
  return (x) => {
    multiply(x, height * width, matrix, null, shares, 0, false);
    for (let at = 0; at < out.length; at += outputs) for (let o = 0; o < outputs; o++) out[at + o] = bias[o];
    for (let y = 0, share = 0; y < height; y++) {
      for (let column = 0; column < width; column++) {
        for (let i = 0; i < kernelHeight; i++) {
          const row = y * stride - above + i;
          for (let j = 0; j < kernelWidth; j++, share += outputs) {
            const place = column * stride - before + j;
            if (row < 0 || row >= rows || place < 0 || place >= columns) continue;
            for (let o = 0, at = (row * columns + place) * outputs; o < outputs; o++) out[at + o] += shares[share + o];
          }
        }
      }
    }
    if (layer.relu) for (let i = 0; i < out.length; i++) if (out[i] < 0) out[i] = 0;
    return out;
  };
}

function broadcastLayer(layer) {
  const [inputs] = layer.input, [height, width, channels] = layer.output;
  const out = new Float64Array(height * width * channels);
  return (x) => {
    for (let y = 0, at = 0; y < height; y++) {
      for (let column = 0; column < width; column++) {
        for (let i = 0; i < inputs; i++) out[at++] = x[i];
        out[at++] = width > 1 ? 2 * column / (width - 1) - 1 : -1;
        out[at++] = height > 1 ? 2 * y / (height - 1) - 1 : -1;
      }
    }
    return out;
  };
}

const LAYERS = { dense: denseLayer, conv: convLayer, transpose: transposeLayer, broadcast: broadcastLayer };

// Numbers in, numbers out; the result is overwritten by the next call.
function makeNetwork(described) {
  const numbers = numbersOf(described.numbers, described.precision);
  let taken = 0;
  const take = (size) => numbers.subarray(taken, (taken += size));
  const steps = described.layers.map((layer) => LAYERS[layer.kind](layer, take(layer.weight), take(layer.bias)));
  return (x) => steps.reduce((values, step) => step(values), x);
}

const sigmoid = (x) => 1 / (1 + Math.exp(-x));

// Categories by their positions: those of a learned codebook lie anywhere.
const inOrder = ({ positions }) => positions.map((_, c) => c).sort((c, d) => positions[c] - positions[d]);

// The entry of a codebook that is nearest to a vector; ties go to the lowest.
function nearest(vectors, vector) {
  const distances = vectors.map((entry) => entry.reduce((sum, x, i) => sum + (x - vector[i]) ** 2, 0));
  return distances.indexOf(Math.min(...distances));
}

// A member of a run: categories or numbers -> pixels in 0..1; and pixels -> categories or numbers (`encode`), and the
// code that metrics see (`code`): the expected position of categories with logits, else what `encode` gives.
function makeModel(member) {
  const decoder = makeNetwork(member.decoder), { latents, discrete } = member, { thresholds, vectors } = latents[0];
  let encoder = null, seen = null, numbers = null;  // made when the first picture is encoded; the last picture
  const place = (value, l) => (discrete ? latents[l].positions[value] : value);
  function numbersFor(pixels) {
    encoder = encoder || makeNetwork(member.encoder);
    if (pixels !== seen) [seen, numbers] = [pixels, encoder(pixels)];
    return numbers;
  }

  function logitsOf(pixels) {
    const all = numbersFor(pixels);
    let start = 0;
    return latents.map(({ positions, active }) => positions.map((_, c) => {
      const logit = all[start++];
      return active[c] ? logit : -Infinity;
    }));
  }
  function encode(pixels) {
    const all = numbersFor(pixels), first = all.subarray(0, latents.length);
    if (!discrete) return Array.from(first);
    if (vectors) {
      const size = vectors[0].length;
      return latents.map((latent, l) => nearest(latent.vectors, all.subarray(l * size, (l + 1) * size)));
    }
    if (thresholds) {
      return latents.map((latent, l) => inOrder(latent)[latent.thresholds.filter((t) => first[l] > t).length]);
    }
    return logitsOf(pixels).map((logits) => logits.indexOf(Math.max(...logits)));
  }
  function code(pixels) {
    if (!discrete || thresholds || vectors) return encode(pixels).map(place);
    return logitsOf(pixels).map((logits, l) => {
      const top = Math.max(...logits), weights = logits.map((logit) => Math.exp(logit - top));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      return weights.reduce((sum, weight, c) => sum + weight * latents[l].positions[c], 0) / total;
    });
  }
  const given = (values) => (vectors ? values.flatMap((value, l) => latents[l].vectors[value]) : values.map(place));
  return { decode: (values) => decoder(Float64Array.from(given(Array.from(values)))).map(sigmoid), encode, code };
}

// Pixels in 0..1 [height, width, 1 or 3] onto a canvas of that size.
function paint(canvas, pixels, [height, width, channels]) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d'), image = context.createImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = Math.round(255 * pixels[channels === 1 ? i : 3 * i + c]);
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}
