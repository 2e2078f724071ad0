// The latent explorer. `sides` are the one or two members that are shown, each with its own code; a row is a slider:
// a latent of the first side and the one of the second that is most like it.

const byId = (id) => document.getElementById(id);
const SLICE = 12;  // milliseconds of drawing small pictures before the page may react again

const models = data.members.map(() => null);
const modelOf = (m) => (models[m] = models[m] || makeModel(data.members[m]));
// Images to start from; the members' codes of stored ones are known already.
const starts = data.images.map((text, i) => ({
  name: `image ${i + 1}`,
  pixels: Float64Array.from(bytesOf(text), (value) => value / 255),
  codes: data.members.map((member) => member.codes[i]),
}));
let sides = [], rows = [], start = 0;

function make(tag, attributes = {}, ...children) {
  const space = ['svg', 'rect', 'line'].includes(tag) ? 'http://www.w3.org/2000/svg' : 'http://www.w3.org/1999/xhtml';
  const node = document.createElementNS(space, tag);
  Object.entries(attributes).forEach(([name, value]) => node.setAttribute(name, value));
  node.append(...children);
  return node;
}

const later = (action, wait) => {
  let timer = 0;
  return () => { clearTimeout(timer); timer = setTimeout(action, wait); };
};
// ---- the page ------------------------------------------------------------------------------------------------

const scored = (m, name) => `${name}${data.members[m].scores ? ` (${data.members[m].scores})` : ''}`;
const shortName = (m) => `${data.members[m].method} ${data.members[m].name}`;
const title = (m) => scored(m, `${data.members[m].run}: ${data.members[m].name}`);

function build() {
  document.body.classList.toggle('two', sides.length > 1);
  rows = matchRows(sides);
  byId('pictures').replaceChildren(...sides.map(makePicture), makeInput());
  byId('heat-section').hidden = !data.factors.length;
  byId('heat').replaceChildren(...sides.map(makeHeat));
  byId('latents').replaceChildren(...rows.map(makeRow));
  const words = sides.map((side) => title(side.member)).join(' beside ');
  byId('about').textContent = `${words}. Use, KL and mutual information are of ${data.probes} images.`;
  byId('both').hidden = sides.length < 2;
  openAll(byId('open-all').getAttribute('aria-pressed') === 'true');
}

function makePicture(side, s) {
  side.canvas = make('canvas', { role: 'img' });
  const caption = sides.length > 1 ? shortName(side.member) : 'decoded';
  return make('figure', { class: `side ${s ? 'second' : 'first'}` }, side.canvas, make('figcaption', {}, caption));
}

function makeInput() {
  const canvas = make('canvas', { role: 'img', 'aria-label': `The image to start from: ${starts[start].name}` });
  paint(canvas, starts[start].pixels, data.shape);
  return make('figure', { class: 'input' }, canvas, make('figcaption', {}, starts[start].name));
}

function makeHeat(side) {
  const table = make('table');
  if (sides.length > 1) table.append(make('caption', {}, shortName(side.member)));
  const heads = ['', ...data.factors, 'KL'].map((name) => make('th', { scope: 'col' }, name));
  table.append(make('thead', {}, make('tr', {}, ...heads)));
  const body = make('tbody');
  const order = rows.map((row) => row.latents[sides.indexOf(side)]).filter((l) => l !== null && l !== undefined);
  order.forEach((l) => {
    const latent = latentOf(side, l);
    const cells = latent.information.map((share) => make('td', {
      style: `--share:${share.toFixed(3)}`, class: share > 0.55 ? 'strong' : '',
    }, String(Math.round(100 * share))));
    const kl = make('td', { class: 'kl' }, latent.kl === null ? '' : latent.kl.toFixed(1));
    body.append(make('tr', {}, make('th', { scope: 'row' }, `z${l}`), ...cells, kl));
  });
  table.append(body);
  return make('div', { class: 'heat', tabindex: 0, role: 'group', 'aria-label': 'Table' }, table);
}

function makeRow(row) {
  const driver = row.latents[0] === null ? 1 : 0, { idle } = latentOf(sides[driver], row.latents[driver]);
  const node = make('section', { class: idle ? 'latent idle' : 'latent' });
  row.parts = [];
  row.latents.forEach((l, s) => {
    if (l === null || l === undefined) return;
    const part = makePart(row, s, l);
    row.parts[s] = part;
    node.append(part.node);
    if (s !== driver) return;
    const last = discrete(sides[s]) ? stopsOf(latentOf(sides[s], l)).length - 1 : NUM_STEPS;
    row.slider = make('input', { type: 'range', min: 0, max: last, step: 1 });
    row.slider.setAttribute('aria-label', `Latent ${l}, knows ${knows(latentOf(sides[s], l)) || 'unnamed factors'}`);
    row.slider.addEventListener('input', () => choose(row, s, valueOfSlider(sides[s], l, Number(row.slider.value))));
    part.use.after(row.slider);
  });
  node.setAttribute('aria-label', `Latent ${row.latents[driver]}`);
  return node;
}

// One side of a row: name, value, histogram, strip.
function makePart(row, s, l) {
  const side = sides[s], latent = latentOf(side, l), part = { side, l };
  const matched = s === 1 && row.latents[0] !== null ? `correlation ${signed(row.correlation)}` : '';
  part.value = make('span', { class: 'value' });
  part.use = make('svg', { class: 'use', 'aria-hidden': 'true', preserveAspectRatio: 'none' });
  const summary = make('summary'), details = make('details', {}, summary, (part.strip = make('div', { class: 'strip' })));
  part.details = details;
  const used = latent.use.filter((share) => share > 0).length, all = latent.active && stopsOf(latent).length;
  const masked = discrete(side) && all < latent.active.length ? `, ${latent.active.length - all} masked` : '';
  summary.textContent = discrete(side)
    ? `${latent.active.length} categories: ${used} used${masked}` : 'Pictures along the range';
  details.addEventListener('toggle', () => { fillStrip(row, s, part); redrawStrips(); });
  drawUse(part);
  const known = knows(latent);
  part.node = make('div', { class: `side ${s ? 'second' : 'first'}` },
    make('div', { class: 'head' }, make('h3', {}, `z${l}`),
      make('span', { class: 'knows' }, [known, latent.kl === null ? '' : `KL ${latent.kl.toFixed(2)}`, matched].filter(Boolean).join(' \u00b7 ')), part.value),
    part.use, details);
  return part;
}

function drawUse(part) {
  const latent = latentOf(part.side, part.l), most = Math.max(...latent.use);
  part.bars = discrete(part.side) ? stopsOf(latent) : latent.use.map((_, bin) => bin);
  const num = part.bars.length;
  // bar i of the categories stands above stop i of the slider
  const [left, width] = discrete(part.side) ? [0, Math.max(num - 1, 1)] : [-0.5, num];
  part.use.setAttribute('viewBox', `${left} 0 ${width} 1`);
  part.use.append(make('line', { class: 'ground', x1: left, x2: left + width, y1: 1, y2: 1 }));
  const wide = Math.min(0.84, width / 40);  // few stops: no wider than the slider's knob
  part.rects = part.bars.map((bar, i) => {
    const height = latent.use[bar] ? Math.max(latent.use[bar] / most, 0.04) : 0;
    const rect = make('rect', { x: i - wide / 2, width: wide, y: 1 - height, height });
    part.use.append(rect);
    return rect;
  });
  part.needle = make('line', { class: 'needle', y1: 0, y2: 1 });
  part.use.append(part.needle);
}

function fillStrip(row, s, part) {
  if (part.choices || !part.details.open) return;
  part.choices = choicesOf(part.side, part.l);
  const most = Math.max(...part.choices.map((choice) => choice.use));
  part.choices.forEach((choice) => {
    choice.canvas = make('canvas', { width: data.shape[1], height: data.shape[0] });
    const bar = make('i', { style: `width:${(100 * choice.use / most).toFixed(1)}%` });
    choice.button = make('button', { tabindex: -1 }, choice.canvas, make('span', { class: 'bar' }, bar), choice.name);
    choice.button.disabled = !choice.active;
    choice.button.className = choice.active ? (choice.use > 0 ? '' : 'unused') : 'inactive';
    const what = discrete(part.side) ? `Category ${choice.name}` : choice.name;
    const use = discrete(part.side) && choice.active ? `, used by ${percent(choice.use)}` : '';
    choice.button.setAttribute('aria-label', `${what} of latent ${part.l}${choice.active ? use : ', masked'}`);
    choice.button.title = `${what}${choice.active ? use : ', masked'}`;
    choice.button.addEventListener('click', () => choose(row, s, choice.value));
    part.strip.append(choice.button);
  });
  markChoice(part);
}

function markChoice(part) {
  const value = part.side.code[part.l], latent = latentOf(part.side, part.l), { choices = [] } = part;
  const nearest = discrete(part.side) ? choices.findIndex((choice) => choice.value === value)
    : Math.round((NUM_SHOWN - 1) * partOf(latent, value));
  choices.forEach((choice, i) => choice.button.classList.toggle('now', i === nearest));
}

// ---- drawing -------------------------------------------------------------------------------------------------

function draw() {
  sides.forEach((side) => {
    paint(side.canvas, modelOf(side.member).decode(side.code), data.shape);
    const code = side.code.map((value) => (discrete(side) ? value : value.toFixed(2))).join(', ');
    side.canvas.setAttribute('aria-label', `Decoded from ${discrete(side) ? 'categories' : 'the code'} ${code}`);
  });
  rows.forEach((row) => {
    const driver = row.latents[0] === null ? 1 : 0, l = row.latents[driver];
    row.slider.value = sliderOf(sides[driver], l);
    row.slider.setAttribute('aria-valuetext', describe(sides[driver], l));
    row.parts.forEach((part) => {
      part.value.textContent = describe(part.side, part.l);
      const latent = latentOf(part.side, part.l), value = part.side.code[part.l];
      const now = discrete(part.side) ? part.bars.indexOf(value) : binOf(latent, value);
      part.rects.forEach((rect, i) => rect.classList.toggle('now', i === now));
      const at = discrete(part.side) ? now : part.bars.length * partOf(latent, value) - 0.5;
      part.needle.setAttribute('x1', at);
      part.needle.setAttribute('x2', at);
      markChoice(part);
    });
  });
}

let waiting = false;
function schedule() {
  if (!waiting) requestAnimationFrame(() => { waiting = false; draw(); });
  waiting = true;
  redrawStrips();
  writeLink();
}

// Small pictures, a slice of time at once; a new change begins anew.
let round = 0;
const redrawStrips = later(() => {
  const mine = ++round, jobs = [];
  rows.forEach((row) => row.parts.forEach((part) => {
    if (part.details.open) (part.choices || []).forEach((choice) => jobs.push([part, choice]));
  }));
  (function next() {
    const began = performance.now();
    while (mine === round && jobs.length && performance.now() - began < SLICE) {
      const [part, choice] = jobs.shift(), code = Array.from(part.side.code);
      code[part.l] = choice.value;
      paint(choice.canvas, modelOf(part.side.member).decode(code), data.shape);
    }
    if (mine === round && jobs.length) setTimeout(next);
    else if (mine === round) document.body.dataset.strips = String(mine);
  })();
}, 60);

// ---- actions -------------------------------------------------------------------------------------------------

function choose(row, s, value) {
  sides[s].code[row.latents[s]] = value;
  if (s === 0) follow(sides, row);
  schedule();
}

function reset() {
  sides.forEach((side) => {
    const known = starts[start].codes;
    known[side.member] = known[side.member] || modelOf(side.member).encode(starts[start].pixels);
    side.code = Array.from(known[side.member]);
  });
  schedule();
}

function random() {
  rows.forEach((row) => {
    const s = row.latents[0] === null ? 1 : 0, l = row.latents[s], latent = latentOf(sides[s], l);
    let left = Math.random(), place = latent.use.findIndex((share) => (left -= share) < 0);
    if (place < 0) place = latent.use.indexOf(Math.max(...latent.use));  // shares are rounded
    const width = discrete(sides[s]) ? 0 : (latent.ends[1] - latent.ends[0]) / latent.use.length;
    choose(row, s, discrete(sides[s]) ? place : latent.ends[0] + width * (place + Math.random()));
  });
}

function python() {
  const lines = ['import factorgrid as fg', 'import numpy as np', ''];
  sides.forEach((side) => {
    const member = data.members[side.member];
    const code = Array.from(side.code, (value) => (discrete(side) ? value : value.toFixed(4))).join(', ');
    lines.push(`model = fg.load_run(${JSON.stringify(member.path)}).model(${JSON.stringify(member.name)})`);
    lines.push(`image = model.decode(np.array([[${code}]]))[0]  # [height width channel] in [0, 1]`);
  });
  return lines.join('\n');
}

async function copy() {
  const text = python(), shown = byId('python');
  shown.textContent = text;
  shown.hidden = false;
  try {
    await navigator.clipboard.writeText(text);
    say('Copied as Python');
  } catch (error) {  // a browser may forbid it to files: select it instead
    getSelection().selectAllChildren(shown);
    say(document.execCommand('copy') ? 'Copied as Python' : 'The Python is selected below');
  }
}

function say(text) {
  byId('status').textContent = text;
  byId('copy').textContent = text.startsWith('Copied') ? 'Copied' : 'Copy';
  setTimeout(() => { byId('copy').textContent = 'Copy'; }, 1500);
}

function startFrom(i) {
  start = (i + starts.length) % starts.length;
  byId('pictures').lastChild.replaceWith(makeInput());
  [...byId('starts').children].forEach((button, at) => button.setAttribute('aria-pressed', at === start));
  reset();
}

function addStart(i) {
  const canvas = make('canvas');
  paint(canvas, starts[i].pixels, data.shape);
  const button = make('button', { 'aria-label': `Start from ${starts[i].name}`, 'aria-pressed': 'false' }, canvas);
  button.addEventListener('click', () => startFrom(i));
  byId('starts').append(button);
}

// A picture of any size: its middle, in the size and the colours that the models know.
async function takePicture(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch (error) {
    say('That file is not a picture that this browser can read');
    return;
  }
  const [height, width, channels] = data.shape, scale = Math.max(width / bitmap.width, height / bitmap.height);
  const context = make('canvas', { width, height }).getContext('2d', { willReadFrequently: true });
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, (width - scale * bitmap.width) / 2, (height - scale * bitmap.height) / 2,
    scale * bitmap.width, scale * bitmap.height);
  const { data: rgba } = context.getImageData(0, 0, width, height), pixels = new Float64Array(height * width * channels);
  for (let i = 0; i < height * width; i++) {
    const [red, green, blue] = [rgba[4 * i], rgba[4 * i + 1], rgba[4 * i + 2]];
    if (channels === 1) pixels[i] = (0.299 * red + 0.587 * green + 0.114 * blue) / 255;
    else pixels.set([red / 255, green / 255, blue / 255], 3 * i);
  }
  const own = starts.filter((known) => known.name.startsWith('your image')).length;
  starts.push({ name: `your image ${own + 1}`, pixels, codes: data.members.map(() => null) });
  addStart(starts.length - 1);
  startFrom(starts.length - 1);
  say('Your image is encoded and decoded');
}

function openAll(open) {
  byId('open-all').setAttribute('aria-pressed', open);
  byId('open-all').textContent = open ? 'Hide pictures' : 'Show all pictures';
  rows.forEach((row, i) => row.parts.forEach((part) => { part.details.open = open || i === 0; }));
}

// ---- the permalink: members, image, and every code -------------------------------------------------------------

const linkOf = () => {
  const parts = { image: start, model: sides[0].member };
  if (sides.length > 1) parts.beside = sides[1].member;
  sides.forEach((side, s) => {
    parts[s ? 'code2' : 'code'] = Array.from(side.code, (x) => (discrete(side) ? x : Number(x.toFixed(4)))).join('_');
  });
  return `#${new URLSearchParams(parts)}`;
};

const writeLink = later(() => {
  try { history.replaceState(null, '', linkOf()); } catch (error) { /* a page inside another may not */ }
}, 150);

function readLink() {
  const parts = new URLSearchParams(location.hash.slice(1));
  const index = (name, end) => (/^\d+$/.test(parts.get(name) || '') && Number(parts.get(name)) < end
    ? Number(parts.get(name)) : null);
  show(index('model', data.members.length) || 0, index('beside', data.members.length), index('image', data.images.length) || 0);
  sides.forEach((side, s) => {
    const name = s ? 'code2' : 'code';
    if (!parts.has(name)) return;
    const code = parts.get(name).split('_').map(Number);
    if (code.length !== side.code.length || code.some((x) => !Number.isFinite(x))) return;
    const fits = code.every((x, l) => !discrete(side) || latentOf(side, l).active[x]);
    if (fits) side.code = code;
  });
  schedule();
}

function show(member, beside, image) {
  sides = [member, beside].filter((m) => m !== null && m !== undefined).map((m) => ({ member: m, code: [] }));
  byId('member').value = member;
  byId('beside').value = beside === null ? '' : beside;
  start = image;
  build();
  startFrom(image);
}

function begin() {
  const options = () => data.members.map((_, m) => make('option', { value: m }, scored(m, shortName(m))));
  byId('member').append(...options());
  byId('beside').append(make('option', { value: '' }, 'nothing'), ...options());
  byId('beside-label').hidden = data.members.length < 2;
  const chosen = () => show(Number(byId('member').value), byId('beside').value === '' ? null : Number(byId('beside').value), start);
  byId('member').addEventListener('change', chosen);
  byId('beside').addEventListener('change', chosen);
  const actions = { r: random, 0: reset, c: copy, '[': () => startFrom(start - 1), ']': () => startFrom(start + 1) };
  byId('random').addEventListener('click', random);
  byId('reset').addEventListener('click', reset);
  byId('copy').addEventListener('click', copy);
  byId('open-all').addEventListener('click', () => openAll(byId('open-all').getAttribute('aria-pressed') !== 'true'));
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === 'SELECT') return;
    const action = actions[event.key.toLowerCase()];
    if (action) action();
  });
  byId('file').addEventListener('change', () => [...byId('file').files].forEach(takePicture));
  document.addEventListener('paste', (event) => [...event.clipboardData.files].forEach(takePicture));
  ['dragover', 'dragleave', 'drop'].forEach((kind) => document.addEventListener(kind, (event) => {
    event.preventDefault();
    byId('drop').classList.toggle('over', kind === 'dragover');
    if (kind === 'drop') [...event.dataTransfer.files].forEach(takePicture);
  }));
  starts.forEach((_, i) => addStart(i));
  addEventListener('hashchange', readLink);
  readLink();
}

begin();
// For tests, and for the curious.
window.explorer = {
  data,
  decode: (member, code) => Array.from(modelOf(member).decode(code)),
  encode: (member, pixels) => modelOf(member).encode(Float64Array.from(pixels)),
  code: (member, pixels) => modelOf(member).code(Float64Array.from(pixels)),
  codes: () => sides.map((side) => Array.from(side.code)),
  link: linkOf,
  python,
  // Pictures a second: decoded and painted.
  rate(num) {
    const began = performance.now();
    for (let i = 0; i < num; i++) draw();
    return 1000 * num / (performance.now() - began);
  },
};
