// The trace: its document, or the fold of its events up to a time.

const data = JSON.parse(document.getElementById("data").textContent);
const events = Array.isArray(data.events) ? data.events : [];

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

function blank() {
  return {nodes: [], edges: [], stages: [], conflicts: [], memory_events: [], budget: {}};
}

function mergeInto(target, patch) {
  for (const [name, value] of Object.entries(patch)) {
    if (name === "__proto__") continue;
    target[name] = isObject(value) && isObject(target[name]) && name !== "settings" ?
        mergeInto({...target[name]}, value) :
        value;
  }
  return target;
}

/** Folds events one after another; begins again where the time goes back. */
class Fold {
  constructor() {
    this.reset();
  }
  reset() {
    this.trace = blank();
    this.byId = new Map();
    this.next = 0;
  }
  /** Up to the events of time `until` (milliseconds). */
  to(until) {
    if (this.next > 0 && events[this.next - 1].t_ms > until) this.reset();
    while (this.next < events.length && events[this.next].t_ms <= until) {
      this.apply(events[this.next++]);
    }
    return this.trace;
  }
  apply({type, patch}) {
    const lists = {edge: "edges", stage: "stages", conflict: "conflicts", memory: "memory_events"};
    if (lists[type]) {
      this.trace[lists[type]].push(patch);
    } else if (type === "node") {
      const known = this.byId.get(patch.id);
      if (known) {
        mergeInto(known, patch);
      } else {
        const node = mergeInto({}, patch);
        this.byId.set(node.id, node);
        this.trace.nodes.push(node);
      }
    } else {
      mergeInto(this.trace, patch);
    }
  }
}

const fold = new Fold();
const duration = events.length ? events[events.length - 1].t_ms : 0;
const whole = events.length ? new Fold().to(Infinity) : mergeInto(blank(), data.document || {});
if (data.status) whole.status = data.status;

/** What is shown: the whole, or the state at a time of the replay. */
let shown = whole;
let shownById = new Map(whole.nodes.map((node) => [node.id, node]));

function showTime(ms) {
  if (ms >= duration) {
    shown = whole;
    shownById = new Map(whole.nodes.map((node) => [node.id, node]));
  } else {
    shown = fold.to(ms);
    shownById = fold.byId;
  }
}

const kMarks = {
  verified: ["✓", "good", "verified"],
  refuted: ["✗", "bad", "refuted"],
  unsupported: ["?", "doubt", "unsupported"],
  unchecked: ["·", "none", "unchecked"],
};

/** The worst of what checks found; a refutation counts before all else. */
function verdictOf(node) {
  const found = (node.verification || []).map((check) => check.status);
  for (const status of ["refuted", "verified", "unsupported"]) {
    if (found.includes(status)) return status;
  }
  return "unchecked";
}

/** 0 to 1, or undefined. */
function confidenceOf(node) {
  const c = node.confidence || {};
  for (const name of ["calibrated", "posterior", "graph", "vote", "token"]) {
    if (typeof c[name] === "number") return Math.min(1, Math.max(0, c[name]));
  }
  return undefined;
}

const percent = (value) => `${Math.round(value * 100)}%`;

function milliseconds(ms) {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(ms < 10000 ? 2 : 1)} s`;
}

/** What stands on a node's face. */
function faceOf(node) {
  return (node.text || node.formal || node.value || "").replace(/\s+/g, " ").trim() || node.kind ||
      "";
}

/** Nodes that the answer rests on: premises of premises, and the branch of the search. */
function answerPath() {
  const premises = new Map();
  for (const edge of whole.edges) {
    if (edge.type !== "premise" && edge.type !== "supports") continue;
    if (!premises.has(edge.to)) premises.set(edge.to, []);
    premises.get(edge.to).push(edge.from);
  }
  const byId = new Map(whole.nodes.map((node) => [node.id, node]));
  const path = new Set();
  const waiting = whole.nodes.filter((node) => node.kind === "answer").map((node) => node.id);
  while (waiting.length) {
    const id = waiting.pop();
    const node = byId.get(id);
    if (!node || path.has(id)) continue;
    path.add(id);
    waiting.push(...(premises.get(id) || []));
    if (node.search && node.search.parent) waiting.push(node.search.parent);
  }
  return path;
}
const onPath = answerPath();
