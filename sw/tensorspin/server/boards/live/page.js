"use strict";
// The live page: it asks the server that it comes from, and no other.

const SIDE = 8, INK = 16;
const at = (id) => document.getElementById(id);
let token = sessionStorage.getItem("token") || "";

// Asking

async function ask(path, body, signal) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  if (body) headers["Content-Type"] = "application/json";
  const options = { headers, signal, method: body ? "POST" : "GET", body: body && JSON.stringify(body) };
  const answer = await fetch(path, options);
  if (answer.ok) return answer;
  if (answer.status === 401) at("entry").hidden = false;
  const told = await answer.json().catch(() => ({}));
  throw new Error(told.error ? told.error.message : `the server answers with status ${answer.status}`);
}

function tell(error) {
  if (error && error.name === "AbortError") return;
  at("problem").textContent = error ? `${error.message}` : "";
}

// A question that is asked again and again: only the newest counts, and one is under way at most.
function latest(work) {
  let busy = false, again = false;
  return async function run() {
    if (busy) { again = true; return; }
    busy = true;
    do {
      again = false;
      try { await work(); tell(null); } catch (error) { tell(error); }
    } while (again);
    busy = false;
  };
}

// Drawing with SVG and tables

function shape(name, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function cell(kind, text, name, scope) {
  const made = document.createElement(kind);
  made.textContent = text;
  if (name) made.className = name;
  if (scope) made.scope = scope;
  return made;
}

function row(...cells) {
  const made = document.createElement("tr");
  made.append(...cells);
  return made;
}

function fill(select, names, texts) {
  const before = select.value;
  select.replaceChildren(...names.map((name) => new Option(texts ? texts[name] : name, name)));
  if (names.includes(before)) select.value = before;
}

const whole = (number) => Math.round(number).toLocaleString("en-GB");

function duration(seconds) {
  for (const [unit, size] of [["s", 1], ["ms", 1e-3], ["µs", 1e-6]])
    if (seconds >= size) return `${Number((seconds / size).toPrecision(3))} ${unit}`;
  return `${Number((seconds / 1e-9).toPrecision(3))} ns`;
}

// The digit

const pixels = new Array(SIDE * SIDE).fill(0);
const cells = [];
let place = 0, examples = null, example = 0;

function paint(index, ink) {
  pixels[index] = Math.max(0, Math.min(INK, ink));
  const share = Math.round((100 * pixels[index]) / INK);
  cells[index].style.background = share ? `color-mix(in srgb, var(--ink) ${share}%, var(--paper))` : "";
  const words = share ? `${share} % ink` : "empty";
  cells[index].setAttribute("aria-label", `row ${1 + Math.floor(index / SIDE)}, column ${1 + (index % SIDE)}: ${words}`);
}

function move(index) {
  cells[place].tabIndex = -1;
  place = index;
  cells[place].tabIndex = 0;
  cells[place].focus();
}

// A soft brush, as the training images were scaled down from finer ones.
function brush(event) {
  const frame = at("drawing").getBoundingClientRect();
  const x = ((event.clientX - frame.left) / frame.width) * SIDE - 0.5;
  const y = ((event.clientY - frame.top) / frame.height) * SIDE - 0.5;
  for (let index = 0; index < pixels.length; index++) {
    const distance = Math.hypot((index % SIDE) - x, Math.floor(index / SIDE) - y);
    const ink = Math.round(INK * Math.max(0, 1.25 - distance));
    if (ink > pixels[index]) paint(index, ink);
  }
  classify();
}

function makeDrawing() {
  const grid = at("drawing");
  for (let line = 0; line < SIDE; line++) {
    const made = document.createElement("div");
    made.setAttribute("role", "row");
    for (let column = 0; column < SIDE; column++) {
      const one = document.createElement("div");
      one.setAttribute("role", "gridcell");
      one.tabIndex = cells.length ? -1 : 0;
      cells.push(one);
      made.append(one);
      paint(cells.length - 1, 0);
    }
    grid.append(made);
  }
  grid.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    grid.setPointerCapture(event.pointerId);
    brush(event);
  });
  grid.addEventListener("pointermove", (event) => {
    if (event.buttons) for (const each of event.getCoalescedEvents ? event.getCoalescedEvents() : [event]) brush(each);
  });
  grid.addEventListener("focusin", (event) => { if (cells.includes(event.target)) place = cells.indexOf(event.target); });
  grid.addEventListener("keydown", (event) => {
    const line = Math.floor(place / SIDE), column = place % SIDE;
    const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    if (moves[event.key]) {
      const [down, right] = moves[event.key];
      const inside = (number) => Math.max(0, Math.min(SIDE - 1, number));
      move(inside(line + down) * SIDE + inside(column + right));
    } else if (event.key === " " || event.key === "Enter") {
      paint(place, pixels[place] ? pixels[place] + INK / 2 : INK);
      classify();
    } else if (event.key === "Delete" || event.key === "Backspace") {
      paint(place, 0);
      classify();
    } else return;
    event.preventDefault();
  });
}

const classify = latest(async () => {
  if (!at("digit-board").value) return;
  const answer = await ask("v1/live/digits", { board: at("digit-board").value, pixels });
  showDigit(await answer.json());
});

function showDigit(told) {
  const rows = told.shares.map((share, digit) => {
    const bar = document.createElement("td"), inner = document.createElement("span");
    inner.className = "bar";
    inner.style.width = `${Math.max(0.5, 100 * share)}%`;
    bar.append(inner, cell("span", `${(100 * share).toFixed(1)} %`, "hidden"));
    const made = row(cell("th", digit, "", "row"), bar, cell("td", whole(told.scores[digit]), "number"));
    if (digit === told.digit) made.className = "first";
    return made;
  });
  document.querySelector("#scores tbody").replaceChildren(...rows);
  const drawn = pixels.some((ink) => ink);
  at("digit-answer").textContent = drawn
    ? `The board says ${told.digit}, with ${(100 * told.shares[told.digit]).toFixed(1)} %.`
    : "Nothing is drawn yet.";
  at("digit-cycles").textContent = whole(told.cycles);
  at("digit-time").textContent = `${duration(told.seconds)} at ${told.clock_hz / 1e6} MHz`;
  at("digit-accuracy").textContent = `${(100 * told.accuracy).toFixed(1)} %`;
  showChain(told.entanglement, told.entanglement_before);
}

function showChain(now, before) {
  const svg = at("chain"), count = now.length, top = Math.max(1, ...before), step = 320 / count;
  const bars = [];
  for (let site = 0; site < count; site++)
    for (const [name, bits] of [["before", before[site]], ["now", now[site]]]) {
      const height = (112 * bits) / top;
      bars.push(shape("rect", { class: name, x: site * step, y: 116 - height, width: 0.8 * step, height }));
    }
  bars.push(shape("line", { class: "axis", x1: 0, x2: 320, y1: 116, y2: 116 }));
  svg.replaceChildren(...bars);
  const most = Math.max(...now), mean = now.reduce((sum, bits) => sum + bits, 0) / count;
  const read = pixels.filter((ink) => ink).length;
  at("chain-answer").textContent =
    `${read} of ${count} pixels have ink and are read. The others still share ${mean.toFixed(2)} bits at a bond in the ` +
    `mean, ${most.toFixed(2)} at most; before, ${Math.max(...before).toFixed(2)} at most.`;
}

// The annealer

let seed = 0, running = null;
const kindOf = () => document.querySelector('input[name="kind"]:checked').value;

async function anneal() {
  if (running) { running.abort(); return; }
  running = new AbortController();
  at("anneal-start").textContent = "Stop";
  try {
    const asked = { board: at("anneal-board").value, kind: kindOf(), size: Number(at("anneal-size").value), seed };
    const answer = await ask("v1/live/anneals", asked, running.signal);
    await lines(answer, annealing());
    tell(null);
  } catch (error) {
    tell(error);
    if (error.name === "AbortError") at("anneal-answer").textContent += " Stopped.";
  }
  running = null;
  at("anneal-start").textContent = "Anneal";
}

async function lines(answer, take) {
  const reader = answer.body.getReader(), decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    text += decoder.decode(value || new Uint8Array(), { stream: !done });
    const parts = text.split("\n");
    text = parts.pop();
    for (const part of parts) {
      const told = JSON.parse(part);
      if (told.error) throw new Error(told.error.message);
      take(told);
    }
    if (done) return;
  }
}

function annealing() {
  const stages = [];
  let problem = null;
  return (told) => {
    if (told.drawing) { problem = told; return; }
    stages.push(told);
    (problem.kind === "graph" ? showGraph : showKnapsack)(problem.drawing, told.state);
    showEnergy(stages);
    const worth = told.told;
    const words = problem.kind === "graph"
      ? `${worth.cut} of ${worth.edges} edges are cut`
      : `value ${worth.value}, weight ${worth.weight} of ${problem.drawing.limit}${worth.fits ? "" : ": too heavy"}`;
    at("anneal-cycles").textContent = whole(told.cycles);
    at("anneal-energy").textContent = told.energy.toFixed(2);
    at("anneal-rounding").textContent = `${(100 * told.rounding).toFixed(1)} %`;
    const ended = told.stage === told.stages;
    at("anneal-answer").textContent = `${ended ? "Done" : `Stage ${told.stage} of ${told.stages}`}: ${words}.`;
  };
}

function showGraph({ places, edges }, state) {
  const x = (node) => 12 + 296 * places[node][0], y = (node) => 12 + 216 * places[node][1];
  at("puzzle").replaceChildren(
    ...edges.map(([a, b]) => shape("line", {
      class: state[a] === state[b] ? "edge" : "edge cut", x1: x(a), y1: y(a), x2: x(b), y2: y(b),
    })),
    ...places.map((_, node) => state[node]
      ? shape("circle", { class: "one", cx: x(node), cy: y(node), r: 6 })
      : shape("rect", { class: "zero", x: x(node) - 5, y: y(node) - 5, width: 10, height: 10 })),
  );
}

function showKnapsack({ weights, values, limit }, state) {
  const total = weights.reduce((sum, weight) => sum + weight, 0), scale = 300 / total;
  const made = [];
  for (const [packed, top, words] of [[1, 40, "in the knapsack"], [0, 140, "left out"]]) {
    made.push(shape("text", { x: 10, y: top - 8 }, words));
    let left = 10;
    weights.forEach((weight, item) => {
      if (state[item] !== packed) return;
      const width = weight * scale;
      made.push(shape("rect", { class: packed ? "one" : "zero", x: left, y: top, width, height: 50 }));
      if (width > 12)
        made.push(shape("text", { class: packed ? "inside" : "", x: left + width / 2, y: top + 30, "text-anchor": "middle" }, values[item]));
      left += width;
    });
  }
  const end = 10 + limit * scale;
  made.push(shape("line", { class: "limit", x1: end, x2: end, y1: 30, y2: 100 }));
  made.push(shape("text", { x: end, y: 114, "text-anchor": "middle" }, `limit ${limit}`));
  made.push(shape("text", { x: 10, y: 224 }, "width: weight, number: value"));
  at("puzzle").replaceChildren(...made);
}

function showEnergy(stages) {
  const all = stages.flatMap((stage) => [stage.lowest, stage.mean]);
  const low = Math.min(...all), high = Math.max(...all), span = high - low || 1;
  const last = stages[0].sweeps * stages[0].stages;
  const x = (stage) => 44 + (266 * stage.sweeps) / last, y = (energy) => 12 + (196 * (high - energy)) / span;
  const curve = (name) => stages.map((stage) => `${x(stage).toFixed(1)},${y(stage[name]).toFixed(1)}`).join(" ");
  const text = (at_x, at_y, words, anchor) => shape("text", { x: at_x, y: at_y, "text-anchor": anchor }, words);
  at("energy").replaceChildren(
    shape("line", { class: "axis", x1: 44, x2: 44, y1: 8, y2: 212 }),
    shape("line", { class: "axis", x1: 44, x2: 312, y1: 212, y2: 212 }),
    text(40, 18, high.toFixed(0), "end"), text(40, 210, low.toFixed(0), "end"),
    text(44, 228, "0", "middle"), text(310, 228, `${last}`, "end"),
    shape("polyline", { class: "curve mean", points: curve("mean") }),
    shape("polyline", { class: "curve", points: curve("lowest") }),
  );
}

// Feasibility

const judge = latest(async () => {
  const deadline = 10 ** Number(at("deadline").value);
  const asked = { deadline, link: at("link").value, processor: at("processor").value, board: at("kind").value };
  if (!asked.link) return; // the choices are not there yet
  const told = await (await ask("v1/live/feasibility", asked)).json();
  const answers = { local: "The board alone", hybrid: "Board and processor together", "not feasible": "Neither of them" };
  at("verdict").textContent =
    `${answers[told.answer]}: the board takes ${duration(told.board.seconds)}, the processor ` +
    `${duration(told.processor.median)} in the median, and ${(100 * told.processor.in_time).toFixed(0)} % of its ` +
    `answers come within ${duration(deadline)}. What decides: ${told.barrier}.`;
  showTimes(deadline, told);
  at("barriers").replaceChildren(...told.barriers.map((each) => row(
    cell("th", each.name, "", "row"), cell("td", each.passed ? "yes" : "no", each.passed ? "yes" : "no"), cell("td", each.words))));
});

function showTimes(deadline, told) {
  const x = (seconds) => 10 + (300 * (Math.log10(Math.max(1e-5, Math.min(1000, seconds))) + 5)) / 8;
  const made = [shape("line", { class: "axis", x1: 10, x2: 310, y1: 70, y2: 70 })];
  for (const [power, words] of [[-5, "10 µs"], [-3, "1 ms"], [-1, "100 ms"], [1, "10 s"], [3, "1000 s"]]) {
    const anchor = power === -5 ? "start" : power === 3 ? "end" : "middle";
    made.push(shape("text", { x: x(10 ** power), y: 84, "text-anchor": anchor }, words));
  }
  const { board, processor } = told;
  made.push(shape("circle", { class: "one", cx: x(board.seconds), cy: 30, r: 6 }));
  made.push(shape("text", { x: x(board.seconds), y: 18, "text-anchor": "middle" }, "board"));
  const width = Math.max(8, x(processor.slow) - x(processor.median));
  made.push(shape("rect", { class: "zero", x: x(processor.median), y: 48, width, height: 12 }));
  made.push(shape("text", { x: x(processor.median) - 6, y: 58, "text-anchor": "end" }, "processor"));
  made.push(shape("line", { class: "limit", x1: x(deadline), x2: x(deadline), y1: 8, y2: 70 }));
  at("times").replaceChildren(...made);
}

function showDeadline() {
  const words = duration(10 ** Number(at("deadline").value));
  at("deadline-shown").textContent = words;
  at("deadline").setAttribute("aria-valuetext", words);
}

// Boards

async function status() {
  const told = await (await ask("v1/boards")).json();
  at("status").replaceChildren(...told.boards.map((board) => {
    const state = !board.up ? `lost: ${board.problem}` : board.in_use ? "works" : "free";
    return row(
      cell("th", board.name, "", "row"), cell("td", state, board.up ? "yes" : "no"),
      cell("td", Object.keys(board.engines).join(", ")), cell("td", `${board.clock_hz / 1e6} MHz`),
      cell("td", board.clients), cell("td", board.waiting), cell("td", board.url));
  }));
}

async function watchBoards() {
  for (;;) {
    if (!document.hidden) try { await status(); } catch (error) { tell(error); }
    await new Promise((done) => setTimeout(done, 2000));
  }
}

// Begin

function limitSize(sizes) {
  const [least, most] = sizes[kindOf()], size = at("anneal-size");
  [size.min, size.max] = [least, most];
  at("anneal-size-shown").textContent = size.value;
}

async function begin() {
  const told = await (await ask("v1/live")).json();
  at("entry").hidden = true;
  tell(null);
  fill(at("digit-board"), told.contractors);
  fill(at("anneal-board"), told.annealers);
  // Before the boards are known there is none to ask.
  for (const name of ["anneal-start", "anneal-new"]) at(name).disabled = false;
  fill(at("link"), Object.keys(told.links), Object.fromEntries(
    Object.entries(told.links).map(([name, trip]) => [name, `${name}, round trip ${trip}`])));
  fill(at("processor"), Object.keys(told.processors), told.processors);
  fill(at("kind"), told.kinds);
  if (!at("processor").dataset.chosen && told.processors.boston) at("processor").value = "boston";
  for (const [name, boards] of [["digit", told.contractors], ["annealer", told.annealers]])
    at(name).hidden = !boards.length;
  limitSize(told.sizes);
  for (const radio of document.querySelectorAll('input[name="kind"]')) radio.onchange = () => limitSize(told.sizes);
  classify();
  judge();
}

makeDrawing();
at("entry").addEventListener("submit", (event) => {
  event.preventDefault();
  token = at("token").value.trim();
  sessionStorage.setItem("token", token);
  begin().catch(tell);
});
at("digit-clear").onclick = () => { pixels.forEach((_, index) => paint(index, 0)); classify(); };
at("digit-example").onclick = async () => {
  try {
    examples = examples || (await (await ask("v1/live/digits")).json()).examples;
    examples[example++ % examples.length].forEach((ink, index) => paint(index, ink));
    classify();
  } catch (error) { tell(error); }
};
at("digit-board").onchange = classify;
at("anneal").addEventListener("submit", (event) => { event.preventDefault(); anneal(); });
at("anneal-size").oninput = () => { at("anneal-size-shown").textContent = at("anneal-size").value; };
at("anneal-new").onclick = () => { seed += 1; if (!running) anneal(); };
at("task").addEventListener("submit", (event) => event.preventDefault());
at("deadline").oninput = () => { showDeadline(); judge(); };
for (const name of ["link", "processor", "kind"]) at(name).onchange = judge;
showDeadline();
begin().catch(tell);
watchBoards();
