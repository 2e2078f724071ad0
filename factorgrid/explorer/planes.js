// Live latent planes. One position of the disc; one panel for each run, with the member that its menu says.

const data = JSON.parse(document.getElementById('data').textContent);
const byId = (id) => document.getElementById(id);
const [size] = data.shape;
const MARGIN = 30;  // of a plane, for its axes
const TRAIL = 90;  // codes that are remembered
const SECONDS = 24;  // once along the path
const PAUSE = 120;  // milliseconds without a move
const LEAST_WINDOW = 0.1;  // of collapsed models

const position = { x: 0.5, y: 0.5 };
const panels = data.panels.map((members) => ({ members, models: members.map(() => null), chosen: 0, trail: [], cost: 0 }));
const still = matchMedia('(prefers-reduced-motion: reduce)');
const dark = matchMedia('(prefers-color-scheme: dark)');
const modelOf = (panel) => (panel.models[panel.chosen] = panel.models[panel.chosen] || makeModel(panel.members[panel.chosen]));
const signed = (x) => `${x < 0 ? '\u2212' : '+'}${Math.abs(x).toFixed(2)}`;
const clamp = (x) => Math.min(Math.max(x, data.low), data.high);

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  Object.entries(attributes).forEach(([name, value]) => node.setAttribute(name, value));
  node.append(...children);
  return node;
}

function build() {
  panels.forEach((panel) => {
    const names = panel.members.map(({ place, name, scores }) => [place, name, scores].filter(Boolean).join(', '));
    panel.menu = make('select', { 'aria-label': `Member of ${panel.members[0].run}` },
      ...names.map((name, i) => make('option', { value: i }, name)));
    panel.menu.addEventListener('change', () => {
      panel.chosen = Number(panel.menu.value);
      panel.trail = [];
      panel.lattice = null;
      schedule();
    });
    panel.plane = make('canvas', { class: 'plane', role: 'img' });
    panel.decoded = make('canvas', { role: 'img', 'aria-label': 'Decoded from that code' });
    panel.words = make('span');
    byId('panels').append(make('section', { class: 'panel', 'aria-label': panel.members[0].run },
      make('h2', {}, panel.members[0].method), panel.menu, panel.plane,
      make('div', { class: 'decoded' }, panel.decoded, panel.words)));
  });
}

// ---- a plane -------------------------------------------------------------------------------------------------

// The square that is shown: around all codes, or the whole range of the latents.
function windowOf(panel) {
  const member = panel.members[panel.chosen], codes = member.plane.flat();
  const ends = [0, 1].map((axis) => [Math.min(...codes.map((code) => code[axis])), Math.max(...codes.map((code) => code[axis]))]);
  if (byId('whole').checked) {
    const most = Math.max(member.discrete ? 1 : 0, ...ends.flat().map(Math.abs)); // learned values reach beyond 1
    return { left: -1.08 * most, bottom: -1.08 * most, side: 2.16 * most };
  }
  const side = Math.max(1.12 * Math.max(...ends.map(([low, high]) => high - low)), LEAST_WINDOW);
  return { left: (ends[0][0] + ends[0][1] - side) / 2, bottom: (ends[1][0] + ends[1][1] - side) / 2, side };
}

// Light to dark on white, dark to light on black.
function shade(hue, part) {
  const light = dark.matches ? 35 + 45 * part : 72 - 46 * part;
  return `hsl(${hue} 85% ${light}%)`;
}

function drawLattice(panel, width, ratio) {
  const canvas = make('canvas', { width: width * ratio, height: width * ratio }), context = canvas.getContext('2d');
  const shown = windowOf(panel), inner = width - MARGIN - 1, styles = getComputedStyle(document.body);
  panel.place = ([z0, z1]) => [
    MARGIN + inner * (z0 - shown.left) / shown.side, inner * (1 - (z1 - shown.bottom) / shown.side)];
  context.scale(ratio, ratio);
  const { plane } = panel.members[panel.chosen], num = plane.length;
  const line = (codes, color) => codes.slice(1).forEach((code, i) => {
    const step = Math.hypot(code[0] - codes[i][0], code[1] - codes[i][1]);
    context.strokeStyle = color;
    context.globalAlpha = step > data.jump * shown.side ? 0.25 : 0.9;  // long steps are tears
    context.beginPath();
    context.moveTo(...panel.place(codes[i]));
    context.lineTo(...panel.place(code));
    context.stroke();
  });
  context.lineWidth = 1.2;
  for (let i = 0; i < num; i++) {
    line(plane.map((column) => column[i]), shade(205, i / (num - 1)));
    line(plane[i], shade(30, i / (num - 1)));
  }
  context.globalAlpha = 1;
  context.fillStyle = context.strokeStyle = styles.getPropertyValue('--soft');
  context.font = '11px system-ui, sans-serif';
  context.lineWidth = 1;
  context.strokeRect(MARGIN + 0.5, 0.5, inner - 1, inner - 1);
  [shown.left, shown.left + shown.side / 2, shown.left + shown.side].forEach((z, i) => {
    context.textAlign = ['left', 'center', 'right'][i];
    context.fillText(i === 1 ? 'latent z0' : signed(z), MARGIN + inner * i / 2, width - 10);
  });
  context.rotate(-Math.PI / 2);
  [shown.bottom, shown.bottom + shown.side / 2, shown.bottom + shown.side].forEach((z, i) => {
    context.textAlign = ['left', 'center', 'right'][i];
    context.fillText(i === 1 ? 'latent z1' : signed(z), -inner * (1 - i / 2), 18);
  });
  panel.lattice = canvas;
}

function drawPlane(panel, code) {
  const width = Math.round(panel.plane.clientWidth), pixels = Math.round(width * (devicePixelRatio || 1)), ratio = pixels / width;
  if (panel.plane.width !== pixels || !panel.lattice) {
    panel.plane.width = panel.plane.height = pixels;
    drawLattice(panel, width, ratio);
  }
  const context = panel.plane.getContext('2d'), styles = getComputedStyle(document.body);
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, width * ratio, width * ratio);
  context.drawImage(panel.lattice, 0, 0);
  context.scale(ratio, ratio);
  context.fillStyle = context.strokeStyle = styles.getPropertyValue('--ink');
  panel.trail.forEach((old, i) => {
    context.globalAlpha = 0.5 * (i + 1) / TRAIL;
    context.beginPath();
    context.arc(...panel.place(old), 2.5, 0, 7);
    context.fill();
  });
  context.globalAlpha = 1;
  context.beginPath();
  context.arc(...panel.place(code), 6.5, 0, 7);
  context.fill();
  context.lineWidth = 2;
  context.strokeStyle = styles.getPropertyValue('--back');
  context.stroke();
}

// ---- drawing and moving --------------------------------------------------------------------------------------

// A slow decoder would make the disc stumble: its picture waits until nothing moves.
function decode(panel) {
  const start = performance.now();
  paint(panel.decoded, modelOf(panel).decode(panel.choice), data.shape);
  panel.cost = performance.now() - start;
  panel.decoded.classList.remove('stale');
}

let pause = 0;
function decodeLater() {
  clearTimeout(pause);
  pause = setTimeout(() => panels.filter((panel) => panel.cost > data.patience).forEach(decode), PAUSE);
}

function draw() {
  const pixels = drawDisc(position.x, position.y, size, data.scale);
  paint(byId('disc'), pixels, data.shape);
  ['x', 'y'].forEach((axis) => { byId(axis).value = position[axis]; });
  panels.forEach((panel) => {
    const model = modelOf(panel), member = panel.members[panel.chosen], code = model.code(pixels);
    panel.code = code;
    drawPlane(panel, code);
    panel.trail.push(code);
    if (panel.trail.length > TRAIL) panel.trail.shift();
    const choice = member.discrete ? model.encode(pixels) : code;
    panel.choice = choice;
    panel.decoded.classList.toggle('stale', panel.cost > data.patience);
    if (panel.cost <= data.patience) decode(panel);
    const words = `code ${code.map(signed).join(', ')}`;
    panel.words.textContent = member.discrete ? `${words}; categories ${choice.join(', ')}` : words;
    panel.plane.setAttribute('aria-label', `Latent plane of ${member.method}: ${panel.words.textContent}`);
  });
  decodeLater();
}

let waiting = false;
function schedule() {
  if (!waiting) requestAnimationFrame(() => { waiting = false; draw(); });
  waiting = true;
}

function move(x, y) {
  position.x = clamp(x);
  position.y = clamp(y);
  schedule();
}

// Along lines of equal y, then along lines of equal x: what an upright grid turns into straight lines.
function pathAt(part) {
  const span = data.high - data.low, turns = 3;
  const across = (part * 2) % 1, along = Math.floor(across * turns * 2) / (turns * 2 - 1);
  const there = (across * turns * 2) % 1, back = Math.floor(across * turns * 2) % 2;
  const [u, v] = [back ? 1 - there : there, Math.min(along, 1)].map((share) => data.low + span * share);
  return part < 0.5 ? [u, v] : [v, u];
}

let playing = false, began = 0;
function play(on) {
  if (on && !playing) {
    began = performance.now();
    const step = (now) => {
      if (!playing) return;
      move(...pathAt(((now - began) / 1000 / SECONDS) % 1));
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }
  playing = on;
  byId('play').textContent = on ? 'Pause' : 'Play';
  byId('play').setAttribute('aria-pressed', on);
}

function redraw() {
  panels.forEach((panel) => { panel.lattice = null; });
  schedule();
}

function begin() {
  build();
  const disc = byId('disc');
  disc.addEventListener('pointermove', (event) => {
    const box = disc.getBoundingClientRect();
    play(false);
    move((event.clientX - box.left) / box.width, 1 - (event.clientY - box.top) / box.height);
  });
  ['x', 'y'].forEach((axis) => {
    Object.assign(byId(axis), { min: data.low, max: data.high });
    byId(axis).addEventListener('input', () => {
      play(false);
      move(...['x', 'y'].map((name) => (name === axis ? Number(byId(name).value) : position[name])));
    });
  });
  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  disc.addEventListener('keydown', (event) => {
    if (!steps[event.key]) return;
    event.preventDefault();
    play(false);
    move(position.x + steps[event.key][0] / (2 * size), position.y + steps[event.key][1] / (2 * size));
  });
  byId('play').addEventListener('click', () => play(!playing));
  byId('whole').addEventListener('change', redraw);
  dark.addEventListener('change', redraw);
  addEventListener('resize', redraw);
  draw();
  play(!still.matches);
}

begin();
// For tests, and for the curious.
window.planes = {
  data,
  disc: (x, y) => Array.from(drawDisc(x, y, size, data.scale)),
  position: () => ({ ...position }),
  codes: () => panels.map((panel) => panel.code),
  place: (p, code) => panels[p].place(code),
  path: pathAt,
  rate(num) {
    const start = performance.now();
    for (let i = 0; i < num; i++) draw();
    return 1000 * num / (performance.now() - start);
  },
};
