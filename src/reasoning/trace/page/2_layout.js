// Where nodes stand: layers for the logic, a tree (a ring where it is large) for the search.

const kBox = {
  width: 196,
  height: 62
};

/** [upper, lower] of an edge: what is concluded stands below what it is concluded from. */
function fall(edge, byId) {
  const from = byId.get(edge.from);
  const to = byId.get(edge.to);
  if (!from || !to || from === to) return null;
  if (edge.type === "premise") return [edge.from, edge.to];
  if (edge.type === "same_value") return null;
  if (edge.type === "goal" || edge.type === "refines") return [edge.to, edge.from];
  const below = from.kind === "check" || from.kind === "counterfactual";
  return below ? [edge.to, edge.from] : [edge.from, edge.to];
}

function layersOf(nodes, falls) {
  const lower = new Map(nodes.map((node) => [node.id, []]));
  for (const [a, b] of falls) lower.get(a).push(b);
  // Depth first without recursion; an edge back into the path would close a circle and is left out.
  const state = new Map();
  const order = [];
  const kept = [];
  for (const node of nodes) {
    if (state.has(node.id)) continue;
    const stack = [[node.id, 0]];
    state.set(node.id, "open");
    while (stack.length) {
      const top = stack[stack.length - 1];
      const next = lower.get(top[0])[top[1]++];
      if (next === undefined) {
        state.set(top[0], "done");
        order.push(top[0]);
        stack.pop();
      } else if (state.get(next) !== "open") {
        kept.push([top[0], next]);
        if (!state.has(next)) {
          state.set(next, "open");
          stack.push([next, 0]);
        }
      }
    }
  }
  const uppers = new Map(nodes.map((node) => [node.id, []]));
  for (const [a, b] of kept) uppers.get(b).push(a);
  const layer = new Map();
  for (const id of order.reverse()) {
    let depth = 0;
    for (const upper of uppers.get(id)) depth = Math.max(depth, layer.get(upper) + 1);
    layer.set(id, depth);
  }
  return {layer, uppers};
}

/** Moves each row's nodes towards what they hang on, at least `gap` apart. */
function settle(rows, neighbours, x, gap) {
  for (const row of rows) {
    const wish = new Map(row.map((id) => {
      const near = neighbours.get(id).filter((other) => x.has(other));
      const sum = near.reduce((total, other) => total + x.get(other), 0);
      return [id, near.length ? sum / near.length : x.get(id)];
    }));
    row.sort((a, b) => wish.get(a) - wish.get(b));
    let least = -Infinity;
    let drift = 0;
    for (const id of row) {
      const at = Math.max(wish.get(id), least);
      x.set(id, at);
      drift += at - wish.get(id);
      least = at + gap;
    }
    for (const id of row) x.set(id, x.get(id) - drift / row.length);
  }
}

function layOutLogic(trace) {
  const byId = new Map(trace.nodes.map((node) => [node.id, node]));
  const falls = [];
  const linked = new Set();
  for (const edge of trace.edges) {
    const pair = fall(edge, byId);
    if (!pair) continue;
    falls.push(pair);
    linked.add(edge.from).add(edge.to);
  }
  for (const node of trace.nodes) {
    const parent = node.search && node.search.parent;
    if (!linked.has(node.id) && parent !== node.id && byId.has(parent))
      falls.push([parent, node.id]);
  }
  const {layer, uppers} = layersOf(trace.nodes, falls);
  const depth = Math.max(0, ...layer.values());
  const layers = Array.from({length: depth + 1}, () => []);
  for (const node of trace.nodes) layers[layer.get(node.id)].push(node.id);
  const lowers = new Map(trace.nodes.map((node) => [node.id, []]));
  for (const [id, all] of uppers)
    for (const upper of all) lowers.get(upper).push(id);

  // Very wide layers are broken into rows, so that the whole keeps a readable shape.
  const widest = Math.max(7, Math.ceil(Math.sqrt(trace.nodes.length) * 0.8));
  const rows = [];
  const gap = kBox.width + 34;
  const x = new Map();
  for (const members of layers) {
    const count = Math.ceil(members.length / widest);
    for (let i = 0; i < count; ++i) {
      rows.push(members.slice(
          Math.floor(i * members.length / count), Math.floor((i + 1) * members.length / count)));
    }
  }
  for (const row of rows) row.forEach((id, i) => x.set(id, (i - (row.length - 1) / 2) * gap));
  for (let sweep = 0; sweep < 6; ++sweep) {
    settle(rows, uppers, x, gap);
    settle(rows.slice().reverse(), lowers, x, gap);
  }
  settle(rows, uppers, x, gap);
  const places = new Map();
  rows.forEach((row, i) => {
    for (const id of row) {
      places.set(
          id, {x: x.get(id), y: i * (kBox.height + 52), width: kBox.width, height: kBox.height});
    }
  });
  const edges = trace.edges.filter((edge) => places.has(edge.from) && places.has(edge.to));
  return {places, edges, round: false};
}

function layOutSearch(trace) {
  const byId = new Map(trace.nodes.map((node) => [node.id, node]));
  const children = new Map();
  const roots = [];
  const edges = [];
  const inTree = new Set();
  for (const node of trace.nodes) {
    const parent = node.search && node.search.parent;
    if (parent && parent !== node.id && byId.has(parent)) {
      if (!children.has(parent)) children.set(parent, []);
      children.get(parent).push(node.id);
      edges.push({from: parent, to: node.id, type: "tree"});
      inTree.add(node.id).add(parent);
    }
  }
  for (const node of trace.nodes) {
    const parent = node.search && node.search.parent;
    if (inTree.has(node.id) && !(parent && parent !== node.id && byId.has(parent)))
      roots.push(node.id);
  }
  // Leaves in order, parents over the middle of their children.
  const at = new Map();
  let leaves = 0;
  for (const root of roots) {
    const stack = [[root, 0, 0]];
    at.set(root, {depth: 0});
    while (stack.length) {
      const top = stack[stack.length - 1];
      const below = children.get(top[0]) || [];
      if (top[2] < below.length) {
        const child = below[top[2]++];
        if (at.has(child)) continue;
        at.set(child, {depth: top[1] + 1});
        stack.push([child, top[1] + 1, 0]);
        continue;
      }
      const placed = below.filter((id) => at.get(id).slot !== undefined);
      at.get(top[0]).slot = placed.length ?
          (at.get(placed[0]).slot + at.get(placed[placed.length - 1]).slot) / 2 :
          leaves++;
      stack.pop();
    }
    leaves += 0.5;
  }
  const round = leaves > 40;
  const places = new Map();
  const depth = Math.max(1, ...[...at.values()].map((place) => place.depth));
  const ring = Math.max(100, leaves * 19 / (2 * Math.PI * depth));
  for (const [id, {depth: level, slot}] of at) {
    const node = byId.get(id);
    if (round) {
      const angle = slot / leaves * 2 * Math.PI - Math.PI / 2;
      const radius = (level + (roots.length > 1 ? 0.6 : 0)) * ring;
      const size = 16 + Math.min(34, 7 * Math.log2(1 + ((node.search && node.search.visits) || 0)));
      places.set(
          id,
          {x: radius * Math.cos(angle), y: radius * Math.sin(angle), width: size, height: size});
    } else {
      places.set(id, {
        x: slot * (kBox.width + 20),
        y: level * (kBox.height + 48),
        width: kBox.width,
        height: kBox.height
      });
    }
  }
  return {
    places,
    edges: edges.filter((edge) => places.has(edge.from) && places.has(edge.to)),
    round
  };
}

const layouts = {
  logic: layOutLogic(whole),
  search: layOutSearch(whole)
};
for (const layout of Object.values(layouts)) {
  const box = {left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity};
  for (const place of layout.places.values()) {
    box.left = Math.min(box.left, place.x - place.width / 2);
    box.right = Math.max(box.right, place.x + place.width / 2);
    box.top = Math.min(box.top, place.y - place.height / 2);
    box.bottom = Math.max(box.bottom, place.y + place.height / 2);
  }
  layout.box = box;
}
