// Draws the part of the graph that can be seen.

const canvas = document.getElementById("canvas");
const context = canvas.getContext("2d");
const view = {
  name: "logic",
  x: 0,
  y: 0,
  scale: 1,
  selected: null,
  hits: new Set(),
  stale: true
};

let colours = {};
function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name
           of ["page", "card", "ink", "soft", "line", "accent", "good", "bad", "doubt", "none",
               "bar"]) {
    colours[name] = style.getPropertyValue("--" + name).trim();
  }
  redraw();
}

const kEdges = {
  premise: ["ink", [], 1.7, "premise → conclusion"],
  supports: ["good", [], 1.4, "supports"],
  contradicts: ["bad", [7, 4], 1.7, "contradicts"],
  same_value: ["accent", [2, 4], 1.3, "same value"],
  refines: ["soft", [8, 4], 1.2, "refines"],
  goal: ["soft", [2, 3], 1.2, "serves a goal"],
  tree: ["soft", [], 1.2, "extended to"],
};
const kKinds = {
  question: "?",
  subgoal: "◇",
  step: "→",
  check: "✓",
  counterfactual: "⇄",
  fact: "■",
  lemma: "★",
  answer: "◎",
};

function redraw() {
  if (view.stale) return;
  view.stale = true;
  requestAnimationFrame(() => {
    view.stale = false;
    draw();
  });
}

const layout = () => layouts[view.name];
const toScreen = (x, y) =>
    [(x - view.x) * view.scale + canvas.clientWidth / 2,
     (y - view.y) * view.scale + canvas.clientHeight / 2];
const toWorld = (x, y) =>
    [(x - canvas.clientWidth / 2) / view.scale + view.x,
     (y - canvas.clientHeight / 2) / view.scale + view.y];

/** From red over amber to green, by confidence: 51 colours, so that few have to be read. */
const heats =
    Array.from({length: 51}, (_, i) => `hsl(${4 + 136 * Math.max(0, (i / 50 - 0.25) / 0.75)} 62% `);
const heat = (confidence) => heats[Math.round(confidence * 50)] +
    (document.documentElement.dataset.theme === "dark" ? "55%)" : "42%)");

function roundedBox(x, y, width, height, radius) {
  context.beginPath();
  context.roundRect(x - width / 2, y - height / 2, width, height, radius);
}

function edgeEnds(a, b) {
  if (layout().round) return [a.x, a.y, b.x, b.y];
  if (Math.abs(a.y - b.y) < 1) {
    const side = Math.sign(b.x - a.x);
    return [a.x + side * a.width / 2, a.y, b.x - side * b.width / 2, b.y];
  }
  const side = Math.sign(b.y - a.y);
  return [a.x, a.y + side * a.height / 2, b.x, b.y - side * b.height / 2];
}

/** From afar: all lines of one kind are one path. */
function drawFarEdges(edges) {
  const groups = new Map();
  for (const edge of edges) {
    const a = layout().places.get(edge.from);
    const b = layout().places.get(edge.to);
    const near = view.selected === edge.from || view.selected === edge.to;
    const road = edge.type !== "goal" && onPath.has(edge.from) && onPath.has(edge.to);
    const key = near ? "near" : road ? "road" : edge.type;
    if (!groups.has(key)) groups.set(key, new Path2D());
    groups.get(key).moveTo(a.x, a.y);
    groups.get(key).lineTo(b.x, b.y);
  }
  context.setLineDash([]);
  // What matters most is drawn last.
  const last = (key) => key === "near" ? 2 : key === "road" ? 1 : 0;
  for (const [key, path] of [...groups].sort(([a], [b]) => last(a) - last(b))) {
    context.strokeStyle = last(key) ? colours.accent : colours[(kEdges[key] || kEdges.premise)[0]];
    context.globalAlpha = last(key) ? 0.95 : view.selected ? 0.15 : 0.3;
    context.lineWidth = (last(key) ? 2.4 : 0.7) / view.scale;
    context.stroke(path);
  }
}

/** From afar: a plain patch of colour. */
function drawFarNode(node, place) {
  const verdict = verdictOf(node);
  const confidence = confidenceOf(node);
  const hit = view.hits.size === 0 || view.hits.has(node.id);
  const marked = view.selected === node.id || onPath.has(node.id) || (view.hits.size > 0 && hit);
  const least = layout().round ? (marked ? 8 : 3.5) / view.scale : 0;
  const width = Math.max(place.width, least);
  const height = Math.max(place.height, least);
  context.globalAlpha = hit ? (confidence === undefined ? 0.92 : 0.45 + 0.55 * confidence) : 0.2;
  context.fillStyle = verdict === "unchecked" && confidence !== undefined ?
      heat(confidence) :
      colours[kMarks[verdict][1]];
  if (layout().round && width * view.scale > 5) {
    context.beginPath();
    context.arc(place.x, place.y, width / 2, 0, 2 * Math.PI);
    context.fill();
  } else {
    context.fillRect(place.x - width / 2, place.y - height / 2, width, height);
  }
  if (!marked) return;
  context.globalAlpha = 1;
  context.lineWidth = (view.selected === node.id ? 3 : 1.8) / view.scale;
  context.strokeStyle = colours.accent;
  roundedBox(place.x, place.y, width, height, layout().round ? width / 2 : 9);
  context.stroke();
}

function drawEdge(edge) {
  const a = layout().places.get(edge.from);
  const b = layout().places.get(edge.to);
  const [x1, y1, x2, y2] = edgeEnds(a, b);
  const near = view.selected === edge.from || view.selected === edge.to;
  const main = onPath.has(edge.from) && onPath.has(edge.to);
  const [colour, dash, width] = kEdges[edge.type] || kEdges.premise;
  const road = main && edge.type !== "goal";
  context.strokeStyle = near ? colours.accent : colours[colour];
  context.globalAlpha = near ? 1 : view.selected ? 0.3 : road ? 0.85 : 0.4;
  context.lineWidth = (near || road ? 1.6 : 1) * width;
  context.setLineDash(dash);
  context.beginPath();
  context.moveTo(x1, y1);
  if (layout().round || Math.abs(y1 - y2) < 1) {
    context.lineTo(x2, y2);
  } else {
    context.bezierCurveTo(x1, (y1 + y2) / 2, x2, (y1 + y2) / 2, x2, y2);
  }
  context.stroke();
  if (edge.type === "tree" || edge.type === "same_value") return;
  const flat = Math.abs(y1 - y2) < 1;
  const angle = layout().round ? Math.atan2(y2 - y1, x2 - x1) :
      flat                     ? (x2 > x1 ? 0 : Math.PI) :
                                 (y2 > y1 ? Math.PI / 2 : -Math.PI / 2);
  context.setLineDash([]);
  context.fillStyle = context.strokeStyle;
  context.beginPath();
  context.moveTo(x2, y2);
  for (const turn of [2.7, -2.7]) {
    context.lineTo(x2 + 9 * Math.cos(angle + turn), y2 + 9 * Math.sin(angle + turn));
  }
  context.fill();
}

const widths = new Map();
/** `text` in at most `lines` lines of the box, cut with an ellipsis. Breaks where it must. */
function linesOf(text, width, lines) {
  const key = text.slice(0, 200);
  if (widths.has(key)) return widths.get(key);
  const words =
      key.match(
          /[\u2e80-\u9fff\uac00-\ud7af\uff00-\uffef]|[^\s\u2e80-\u9fff\uac00-\ud7af\uff00-\uffef]{1,24}|\s+/g) ||
      [];
  const out = [""];
  for (const word of words) {
    const longer = out[out.length - 1] + word;
    if (context.measureText(longer.trimEnd()).width <= width) {
      out[out.length - 1] = longer;
    } else if (out.length < lines) {
      out.push(word.trimStart());
    } else {
      let last = out[out.length - 1].trimEnd();
      while (last && context.measureText(last + "…").width > width) last = last.slice(0, -1);
      out[out.length - 1] = last + "…";
      break;
    }
  }
  widths.set(key, out);
  return out;
}

function drawNode(node, place) {
  const verdict = verdictOf(node);
  const [mark, tone] = kMarks[verdict];
  const confidence = confidenceOf(node);
  const selected = view.selected === node.id;
  const hit = view.hits.size === 0 || view.hits.has(node.id);
  // What is not certain is pale; what a search by text does not find is paler.
  context.globalAlpha =
      (hit ? 1 : 0.22) * (confidence === undefined ? 0.92 : 0.45 + 0.55 * confidence);
  const edge = colours[tone];
  const round = layout().round;
  const radius = round                                   ? place.width / 2 :
      node.kind === "question" || node.kind === "answer" ? 18 :
                                                           9;
  roundedBox(place.x, place.y, place.width, place.height, radius);
  context.fillStyle = !round                              ? colours.card :
      verdict === "unchecked" && confidence !== undefined ? heat(confidence) :
                                                            edge;
  context.fill();
  if (selected) context.globalAlpha = 1;
  context.setLineDash(!selected && confidence !== undefined && confidence < 0.5 ? [5, 4] : []);
  context.lineWidth = selected ? 4 : onPath.has(node.id) ? 2.4 : 1.3;
  context.strokeStyle = selected || (round && onPath.has(node.id)) ? colours.accent :
      round                                                        ? colours.page :
                                                                     edge;
  context.stroke();
  context.setLineDash([]);
  if (round) return drawRoundLabel(node, place, mark);
  context.globalAlpha = hit ? 1 : 0.25;
  const left = place.x - place.width / 2 + 11;
  const top = place.y - place.height / 2;
  context.textAlign = "left";
  context.font = "600 11px system-ui, sans-serif";
  context.fillStyle = colours.soft;
  context.fillText(
      `${kKinds[node.kind] || "·"} ${node.kind} ${node.id}`.slice(0, 30), left, top + 15);
  context.fillStyle = edge;
  context.textAlign = "right";
  context.font = "700 15px system-ui, sans-serif";
  context.fillText(mark, place.x + place.width / 2 - 9, top + 17);
  if (confidence !== undefined) {
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = colours.soft;
    context.fillText(percent(confidence), place.x + place.width / 2 - 25, top + 15);
  }
  context.textAlign = "left";
  context.font = "12.5px system-ui, sans-serif";
  context.fillStyle = colours.ink;
  linesOf(faceOf(node), place.width - 22, 2)
      .forEach((line, i) => context.fillText(line, left, top + 32 + i * 15));
  if (confidence === undefined) return;
  const full = place.width - 22;
  context.fillStyle = colours.bar;
  context.fillRect(left, top + place.height - 8, full, 4);
  context.fillStyle = heat(confidence);
  context.fillRect(left, top + place.height - 8, full * confidence, 4);
}

function drawRoundLabel(node, place, mark) {
  context.globalAlpha = 1;
  context.textAlign = "center";
  context.font = "700 12px system-ui, sans-serif";
  context.fillStyle = colours.card;
  context.fillText(mark === "·" ? "" : mark, place.x, place.y + 4);
  if (view.scale < 0.9) return;
  context.font = "11px system-ui, sans-serif";
  context.fillStyle = colours.ink;
  context.fillText(linesOf(faceOf(node), 130, 1)[0], place.x, place.y + place.height / 2 + 13);
}

/** Milliseconds of the last frames, for whoever measures. */
const frames = [];

function draw() {
  const begun = performance.now();
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.setTransform(
      ratio * view.scale, 0, 0, ratio * view.scale, ratio * (width / 2 - view.x * view.scale),
      ratio * (height / 2 - view.y * view.scale));
  const [left, top] = toWorld(0, 0);
  const [right, bottom] = toWorld(width, height);
  const far = view.scale < (layout().round ? 0.3 : 0.42);
  const {places, edges} = layout();
  const seen = [];
  for (const edge of edges) {
    if (!shownById.has(edge.from) || !shownById.has(edge.to)) continue;
    const a = places.get(edge.from);
    const b = places.get(edge.to);
    if (Math.max(a.x, b.x) + 100 < left || Math.min(a.x, b.x) - 100 > right ||
        Math.max(a.y, b.y) < top || Math.min(a.y, b.y) > bottom)
      continue;
    if (far)
      seen.push(edge);
    else
      drawEdge(edge);
  }
  if (far) drawFarEdges(seen);
  for (const [id, place] of places) {
    if (place.x + place.width < left || place.x - place.width > right ||
        place.y + place.height < top || place.y - place.height > bottom)
      continue;
    const node = shownById.get(id);
    if (node) (far ? drawFarNode : drawNode)(node, place);
  }
  context.globalAlpha = 1;
  placeCursor();
  frames.push(performance.now() - begun);
  if (frames.length > 600) frames.shift();
}

/** The button that has the keyboard's focus lies over the node that is drawn. */
function placeCursor() {
  const cursor = document.getElementById("cursor");
  const place = view.selected && layout().places.get(view.selected);
  cursor.hidden = !place;
  if (!place) return;
  const [x, y] = toScreen(place.x - place.width / 2, place.y - place.height / 2);
  Object.assign(cursor.style, {
    left: `${x}px`,
    top: `${y}px`,
    width: `${place.width * view.scale}px`,
    height: `${place.height * view.scale}px`
  });
}

function nodeAt(x, y) {
  const [wx, wy] = toWorld(x, y);
  const slack = 4 / view.scale;
  let found = null;
  for (const [id, place] of layout().places) {
    if (!shownById.has(id)) continue;
    if (Math.abs(wx - place.x) <= place.width / 2 + slack &&
        Math.abs(wy - place.y) <= place.height / 2 + slack)
      found = id;
  }
  return found;
}

function zoomAt(x, y, factor) {
  const [wx, wy] = toWorld(x, y);
  view.scale = Math.min(3, Math.max(0.01, view.scale * factor));
  view.x = wx - (x - canvas.clientWidth / 2) / view.scale;
  view.y = wy - (y - canvas.clientHeight / 2) / view.scale;
  redraw();
}

function fit() {
  const {box} = layout();
  if (!(box.right > box.left)) return redraw();
  const room = {width: canvas.clientWidth - 50, height: canvas.clientHeight - 120};
  view.scale = Math.min(
      1.15,
      Math.max(
          0.01,
          Math.min(room.width / (box.right - box.left), room.height / (box.bottom - box.top))));
  view.x = (box.left + box.right) / 2;
  view.y = (box.top + box.bottom) / 2;
  redraw();
}
