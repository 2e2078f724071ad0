// What a slider, a histogram and a strip need to know of a latent, be it of categories or of numbers.
// A side is a member that is shown and its code: { member, code }.

const data = JSON.parse(document.getElementById('data').textContent);
const NUM_STEPS = 200;  // of the slider of a continuous latent
const NUM_SHOWN = 13;  // pictures of a continuous latent

const percent = (share) => (share > 0 && share < 0.001 ? 'under 0.1%' : `${(100 * share).toFixed(share < 0.1 ? 1 : 0)}%`);
const signed = (x) => `${x < 0 ? '\u2212' : '+'}${Math.abs(x).toFixed(2)}`;

const latentOf = (side, l) => data.members[side.member].latents[l];
const discrete = (side) => data.members[side.member].discrete;

// The categories that a slider stops at.
const stopsOf = (latent) => inOrder(latent).filter((c) => latent.active[c]);

// Where a value lies on the axis that the decoder sees.
const placeOf = (side, l, value) => (discrete(side) ? latentOf(side, l).positions[value] : value);

// The value that lies nearest to a place.
function valueAt(side, l, place) {
  const latent = latentOf(side, l);
  if (!discrete(side)) return Math.min(Math.max(place, latent.ends[0]), latent.ends[1]);
  const distance = (c) => Math.abs(latent.positions[c] - place);
  return stopsOf(latent).reduce((best, c) => (distance(c) < distance(best) ? c : best));
}

function sliderOf(side, l) {
  const latent = latentOf(side, l), value = side.code[l];
  if (discrete(side)) return Math.max(stopsOf(latent).indexOf(value), 0);
  return Math.round(NUM_STEPS * partOf(latent, value));
}

function valueOfSlider(side, l, step) {
  const latent = latentOf(side, l);
  if (discrete(side)) return stopsOf(latent)[step];
  return latent.ends[0] + (latent.ends[1] - latent.ends[0]) * step / NUM_STEPS;
}

// What a strip shows: all categories, or numbers along the range.
function choicesOf(side, l) {
  const latent = latentOf(side, l);
  if (discrete(side)) {
    return inOrder(latent).map((c) => ({ value: c, name: String(c), use: latent.use[c], active: latent.active[c] }));
  }
  return Array.from({ length: NUM_SHOWN }, (_, i) => {
    const value = latent.ends[0] + (latent.ends[1] - latent.ends[0]) * i / (NUM_SHOWN - 1);
    return { value, name: signed(value), use: latent.use[binOf(latent, value)], active: 1 };
  });
}

// Of a continuous latent: how far along its range.
const partOf = (latent, value) => Math.min(Math.max((value - latent.ends[0]) / (latent.ends[1] - latent.ends[0]), 0), 1);
const binOf = (latent, value) => Math.min(Math.floor(partOf(latent, value) * latent.use.length), latent.use.length - 1);

function describe(side, l) {
  const latent = latentOf(side, l), value = side.code[l];
  if (!discrete(side)) return signed(value);
  const place = latent.vectors ? '' : ` at ${signed(latent.positions[value])}`;  // vectors have no order
  return `category ${value}${place}, used by ${percent(latent.use[value])}`;
}

// The factor that a latent knows most about.
function knows(latent) {
  if (!data.factors.length) return '';
  const best = latent.information.indexOf(Math.max(...latent.information));
  return latent.information[best] < 0.02 ? 'no factor' : `${data.factors[best]} ${percent(latent.information[best])}`;
}

// The second member's code follows the slider: from the range that one uses to the range that the other uses.
function follow([a, b], row) {
  const [i, j] = row.latents;
  if (i === null || j === null || j === undefined) return;
  const from = latentOf(a, i), to = latentOf(b, j);
  const width = from.high - from.low > 1e-6 ? from.high - from.low : 2;
  const part = (placeOf(a, i, a.code[i]) - from.low) / width;
  b.code[j] = valueAt(b, j, to.low + (row.correlation < 0 ? 1 - part : part) * (to.high - to.low));
}

// Rows of the page, the most used latent first: each has a latent of the first side and the one of the second that
// is most like it (the greatest correlation first).
function matchRows([a, b]) {
  const order = (side) => data.members[side.member].latents.map((_, l) => l)
    .sort((k, l) => latentOf(side, l).rank - latentOf(side, k).rank);
  if (!b) return order(a).map((l) => ({ latents: [l] }));
  const table = data.correlations[a.member][b.member], partner = new Map();
  const pairs = table.flatMap((line, i) => line.map((r, j) => [i, j, r]));
  pairs.sort((p, q) => Math.abs(q[2]) - Math.abs(p[2]));
  pairs.forEach(([i, j]) => {
    if (!partner.has(i) && ![...partner.values()].includes(j)) partner.set(i, j);
  });
  const matched = order(a).map((i) => {
    const j = partner.has(i) ? partner.get(i) : null;
    return { latents: [i, j], correlation: j === null ? 0 : table[i][j] };
  });
  const left = order(b).filter((j) => ![...partner.values()].includes(j));
  return [...matched, ...left.map((j) => ({ latents: [null, j], correlation: 0 }))];
}
