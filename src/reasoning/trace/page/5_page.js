// Header, keyboard, mouse and replay.

const byName = (id) => document.getElementById(id);
const kStatus = {
  answered: "good",
  uncertain: "doubt",
  cancelled: "doubt",
  interrupted: "doubt",
  failed: "bad",
  running: "none"
};

function showHeader() {
  document.title = (whole.question || "Trace").slice(0, 80);
  byName("question").textContent = whole.question || "(no question)";
  byName("answer").textContent = shown.answer || "";
  const badges = [element(
      "span", {class: "badge " + (kStatus[shown.status] || "none")}, shown.status || "running")];
  if (typeof shown.confidence === "number") {
    const tone = shown.confidence >= 0.8 ? "good" : shown.confidence >= 0.5 ? "doubt" : "bad";
    badges.push(element("span", {class: "badge " + tone}, percent(shown.confidence) + " sure"));
  }
  if (shown.strategy) badges.push(element("span", {class: "badge"}, shown.strategy));
  badges.push(element("span", {class: "badge"}, `${shown.nodes.length} nodes`));
  if (shown.budget && shown.budget.tokens)
    badges.push(element("span", {class: "badge"}, `${shown.budget.tokens} tokens`));
  if (shown.budget && shown.budget.ms)
    badges.push(element("span", {class: "badge"}, milliseconds(shown.budget.ms)));
  byName("badges").replaceChildren(...badges);
}

function showLegend() {
  const used = new Set(layout().edges.map((edge) => edge.type));
  const items = [...used].filter((type) => kEdges[type]).map((type) => {
    const [colour, dash, , label] = kEdges[type];
    return element(
        "li", {}, element("span", {
          class: "sample",
          style: {
            borderTopColor: `var(--${colour})`,
            borderTopStyle: dash.length ? (dash[0] < 3 ? "dotted" : "dashed") : "solid"
          }
        }),
        label);
  });
  for (const [mark, tone, name] of Object.values(kMarks)) {
    if (mark !== "·") items.push(element("li", {}, element("b", {class: tone}, mark), name));
  }
  items.push(element("li", {}, "pale, dashed: not sure"));
  byName("legend").replaceChildren(...items);
}

function setView(name) {
  view.name = name;
  for (const other of ["logic", "search"])
    byName("view-" + other).setAttribute("aria-selected", String(other === name));
  if (view.selected && !layout().places.has(view.selected)) view.selected = null;
  showLegend();
  fit();
  showPanel();
}

/** `look`: bring it into sight. */
function select(id, look = false, focus = true) {
  if (id && !layout().places.has(id) && layouts.logic.places.has(id)) setView("logic");
  view.selected = id;
  const cursor = byName("cursor");
  const node = id && shownById.get(id);
  if (node) {
    const confidence = confidenceOf(node);
    cursor.setAttribute(
        "aria-label",
        `${node.kind} ${node.id}, ${verdictOf(node)}${
            confidence === undefined ?
                "" :
                `, ${percent(confidence)} sure`}: ${faceOf(node).slice(0, 300)}`);
    const place = layout().places.get(id);
    if (look && place) {
      const [x, y] = toScreen(place.x, place.y);
      const margin = 90;
      if (view.scale < 0.4 || x < margin || y < margin || x > canvas.clientWidth - margin ||
          y > canvas.clientHeight - margin) {
        view.scale = Math.max(view.scale, layout().round ? 0.7 : 0.6);
        view.x = place.x;
        view.y = place.y;
      }
    }
    placeCursor();
    if (focus) cursor.focus({preventScroll: true});
  }
  showPanel();
  panel.scrollTop = 0;
  redraw();
}

/** The nearest node in a direction, by distance with a penalty for the side. */
function step(dx, dy) {
  const places = layout().places;
  const from = view.selected && places.get(view.selected);
  let best = null;
  let least = Infinity;
  for (const [id, place] of places) {
    if (!shownById.has(id) || id === view.selected) continue;
    if (!from) {
      best = id;
      break;
    }
    const along = (place.x - from.x) * dx + (place.y - from.y) * dy;
    const aside = Math.abs((place.x - from.x) * dy) + Math.abs((place.y - from.y) * dx);
    if (along <= 1) continue;
    const distance = along + 2.5 * aside;
    if (distance < least) [least, best] = [distance, id];
  }
  if (best) select(best, true);
}

function find(next) {
  const text = byName("find").value.trim().toLowerCase();
  const hits = text ?
      shown.nodes.filter(
          (node) => `${node.id} ${node.text || ""} ${node.value || ""} ${node.formal || ""}`
                        .toLowerCase()
                        .includes(text)) :
      [];
  view.hits = new Set(hits.map((node) => node.id));
  byName("found").textContent = text ? `${hits.length} found` : "";
  if (next && hits.length) {
    const at = hits.findIndex((node) => node.id === view.selected);
    select(hits[(at + next + hits.length) % hits.length].id, true, false);
  }
  redraw();
}

const player = {
  at: duration,
  playing: false,
  last: 0,
  told: 0
};

function showClock() {
  byName("time").value = String(duration ? player.at / duration * 1000 : 1000);
  byName("clock").textContent =
      `${milliseconds(player.at)} of ${milliseconds(duration)} · ${shown.nodes.length} nodes`;
}

function seek(ms) {
  player.at = Math.min(duration, Math.max(0, ms));
  showTime(player.at);
  showClock();
  redraw();
  // Words change too fast to be read otherwise.
  if (player.playing && player.at < duration && performance.now() - player.told < 250) return;
  player.told = performance.now();
  showHeader();
  showPanel();
}

function play(on) {
  player.playing = on;
  if (on && player.at >= duration) player.at = 0;
  byName("play").textContent = on ? "⏸" : "▶";
  byName("play").setAttribute("aria-label", on ? "Pause" : "Play");
  player.last = performance.now();
  if (on) requestAnimationFrame(tick);
}

function tick(now) {
  if (!player.playing) return;
  seek(player.at + Math.max(0, now - player.last) * Number(byName("speed").value));
  player.last = now;
  if (player.at >= duration)
    play(false);
  else
    requestAnimationFrame(tick);
}

function setTheme(name) {
  document.documentElement.dataset.theme = name;
  readColours();
  showPanel();
}

const kKeys = {
  ArrowLeft: () => step(-1, 0),
  ArrowRight: () => step(1, 0),
  ArrowUp: () => step(0, -1),
  ArrowDown: () => step(0, 1),
  1: () => setView("logic"),
  2: () => setView("search"),
  0: fit,
  "+": () => zoomAt(canvas.clientWidth / 2, canvas.clientHeight / 2, 1.25),
  "-": () => zoomAt(canvas.clientWidth / 2, canvas.clientHeight / 2, 0.8),
  Escape: () => select(null),
  " ": () => duration && play(!player.playing),
  "/": () => byName("find").focus(),
  d: () => byName("theme").click(),
  Enter: () => panel.focus(),
};

function listen() {
  document.addEventListener("keydown", (event) => {
    const inField = event.target.matches("input, select");
    const onButton = event.target.matches("button") && event.target.id !== "cursor" &&
        [" ", "Enter"].includes(event.key);
    const reading = event.target === panel && event.key.startsWith("Arrow");
    if (inField && event.key === "Escape") event.target.blur();
    if (inField || onButton || reading || event.ctrlKey || event.metaKey || event.altKey) return;
    const does = Object.hasOwn(kKeys, event.key) && kKeys[event.key];
    if (!does) return;
    event.preventDefault();
    does();
  });
  const pointers = new Map();
  let moved = 0;
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, [event.offsetX, event.offsetY]);
    moved = 0;
    canvas.classList.add("dragging");
  });
  canvas.addEventListener("pointermove", (event) => {
    const last = pointers.get(event.pointerId);
    if (!last) {
      canvas.style.cursor = nodeAt(event.offsetX, event.offsetY) ? "pointer" : "";
      return;
    }
    const other = [...pointers].find(([id]) => id !== event.pointerId);
    if (other) {
      const before = Math.hypot(last[0] - other[1][0], last[1] - other[1][1]);
      const after = Math.hypot(event.offsetX - other[1][0], event.offsetY - other[1][1]);
      if (before > 0) zoomAt(other[1][0], other[1][1], after / before);
    } else {
      view.x -= (event.offsetX - last[0]) / view.scale;
      view.y -= (event.offsetY - last[1]) / view.scale;
    }
    moved += Math.abs(event.offsetX - last[0]) + Math.abs(event.offsetY - last[1]);
    pointers.set(event.pointerId, [event.offsetX, event.offsetY]);
    redraw();
  });
  const up = (event) => {
    if (pointers.delete(event.pointerId) && event.type === "pointerup" && moved < 5) {
      select(nodeAt(event.offsetX, event.offsetY));
    }
    if (!pointers.size) canvas.classList.remove("dragging");
  };
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("pointercancel", up);
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoomAt(
        event.offsetX, event.offsetY, Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)));
  }, {passive: false});
  new ResizeObserver(redraw).observe(canvas);
  byName("view-logic").onclick = () => setView("logic");
  byName("view-search").onclick = () => setView("search");
  byName("zoom-in").onclick = kKeys["+"];
  byName("zoom-out").onclick = kKeys["-"];
  byName("zoom-fit").onclick = fit;
  byName("theme").onclick = () =>
      setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
  byName("find").addEventListener("input", () => find(0));
  byName("find").addEventListener("keydown", (event) => {
    if (event.key === "Enter") find(event.shiftKey ? -1 : 1);
  });
  byName("play").onclick = () => play(!player.playing);
  byName("time").addEventListener("input", () => {
    play(false);
    seek(byName("time").value / 1000 * duration);
  });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", () => setTheme(dark.matches ? "dark" : "light"));
  setTheme(dark.matches ? "dark" : "light");
}

view.stale = false;
byName("replay").hidden = events.length < 2 || duration <= 0;
byName("view-search").hidden = layouts.search.places.size === 0;
// The whole takes at most half a minute, the slowest speed is that of life.
const fastest = Math.max(1, Math.ceil(duration / 15000));
for (const speed of [...new Set([0.25, 1, 2, 4, fastest, fastest * 4])].sort((a, b) => a - b)) {
  byName("speed").append(element(
      "option", {value: String(speed), ...(speed === fastest ? {selected: ""} : {})}, `${speed}×`));
}
listen();
showHeader();
showClock();
const asked = new URLSearchParams(location.hash.slice(1));
setView(asked.get("view") === "search" ? "search" : "logic");
if (asked.get("node")) select(asked.get("node"), true, false);
if (asked.get("theme")) setTheme(asked.get("theme") === "dark" ? "dark" : "light");
if (asked.get("at")) seek(Number(asked.get("at")) * duration);
