// The column of details: of one node, or of the whole answer. All text is set as text, never as
// HTML.

const panel = document.getElementById("panel");

function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "class")
      made.className = value;
    else if (key === "style")
      Object.assign(made.style, value);
    else if (key.startsWith("on"))
      made.addEventListener(key.slice(2), value);
    else
      made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const heading = (text) => element("h3", {}, text);

function bars(rows) {
  const table = element("div", {class: "bars"});
  for (const [name, value, title] of rows) {
    const fill = element("i", {style: {width: percent(value), background: heat(value)}});
    table.append(
        element("span", {title}, name), element("span", {class: "bar"}, fill),
        element("span", {}, percent(value)));
  }
  return table;
}

const kConfidence = {
  token: ["tokens", "geometric mean of the token probabilities"],
  vote: ["votes", "share of the samples that agree"],
  graph: ["graph", "by the evidence graph"],
  posterior: ["together", "of all evidence and the checks"],
  calibrated: ["calibrated", "how often such a confidence has been right"],
};

function confidenceBars(node) {
  const rows = Object.entries(kConfidence)
                   .filter(([name]) => node.confidence && typeof node.confidence[name] === "number")
                   .map(([
                          name, [label, title]
                        ]) => [label, Math.min(1, Math.max(0, node.confidence[name])), title]);
  return rows.length ? [heading("Confidence"), bars(rows)] : [];
}

/** Spans count bytes of UTF-8; strings here count units of UTF-16. */
function unitsOf(text) {
  const bytes = new TextEncoder();
  const at = [0];
  let units = 0;
  for (const character of text) {
    const size = bytes.encode(character).length;
    for (let i = 1; i <= size; ++i) at.push(units + character.length);
    units += character.length;
  }
  return at;
}

/** The text with what checks have looked at underlined. */
function textWithSpans(node) {
  const text = node.text || "";
  const box = element("p", {class: "text"});
  const checks = (node.verification ||
                  []).filter((check) => Array.isArray(check.span) && check.span[1] > check.span[0]);
  if (!checks.length || text.length > 100000) {
    box.append(text);
    return box;
  }
  const units = unitsOf(text);
  const cuts = checks.map((check) => [units[check.span[0]], units[check.span[1]], check])
                   .filter(([begin, end]) => begin !== undefined && end !== undefined)
                   .sort((a, b) => a[0] - b[0]);
  let done = 0;
  for (const [begin, end, check] of cuts) {
    if (begin < done) continue;
    box.append(
        text.slice(done, begin),
        element(
            "span", {class: check.status, title: check.detail || check.status},
            text.slice(begin, end)));
    done = end;
  }
  box.append(text.slice(done));
  return box;
}

function checkList(node) {
  const checks = node.verification || [];
  if (!checks.length) return [];
  return [
    heading("Checks"), ...checks.map((check) => {
      const [mark, tone] = kMarks[check.status] || kMarks.unchecked;
      const said = element(
          "div", {}, element("span", {class: tone}, check.status), " by " + (check.method || "?"),
          check.exact ? " (exact)" : "", check.detail ? ": " + check.detail : "");
      if (check.value)
        said.append(element(
            "small", {}, check.status === "refuted" ? "it is " : "value ",
            element("code", {}, check.value)));
      if (check.semantics) said.append(element("small", {}, "semantics: " + check.semantics));
      return element("div", {class: "check"}, element("span", {class: "mark " + tone}, mark), said);
    })
  ];
}

function tokenText(tokens) {
  const box = element("p", {class: "tokens"});
  for (const token of tokens) {
    const p = Math.exp(Math.min(0, Number(token.logprob) || 0));
    const entropy =
        typeof token.entropy === "number" ? `, entropy ${token.entropy.toFixed(2)} nats` : "";
    const shade = Math.pow(1 - p, 0.8) * 0.75;
    box.append(element(
        "span", {
          title: `p = ${p.toPrecision(3)}${entropy}`,
          style: {background: shade > 0.02 ? `rgba(var(--hot), ${shade.toFixed(3)})` : ""}
        },
        token.text || ""));
  }
  return box;
}

const tokenScale = () => element("div", {class: "scale"}, "sure", element("i"), "unsure");

function jump(id, note) {
  const node = shownById.get(id) || whole.nodes.find((other) => other.id === id);
  const [mark, tone] = node ? kMarks[verdictOf(node)] : ["", "none"];
  return element(
      "button", {class: "jump", type: "button", onclick: () => select(id, true)},
      element(
          "span", {class: "kind"}, element("b", {class: tone}, mark + " "),
          note || (node ? node.kind : "")),
      node ? faceOf(node).slice(0, 160) : id);
}

function links(node) {
  const out = [];
  const some = (title, found) => {
    if (!found.length) return;
    out.push(heading(title), ...found.slice(0, 30).map(([id, note]) => jump(id, note)));
    if (found.length > 30) out.push(element("p", {class: "soft"}, `and ${found.length - 30} more`));
  };
  some(
      "From",
      shown.edges.filter((edge) => edge.to === node.id).map((edge) => [edge.from, edge.type]));
  some(
      "To",
      shown.edges.filter((edge) => edge.from === node.id).map((edge) => [edge.to, edge.type]));
  const parent = node.search && node.search.parent;
  if (parent) some("Extended from", [[parent, "search"]]);
  some(
      "Extended to",
      shown.nodes.filter((other) => other.search && other.search.parent === node.id)
          .map((other) => [other.id, other.kind]));
  return out;
}

/** Columns of numbers stand to the right, unless `plain`. */
function table(rows, plain = false) {
  const numeric = (cell, i) => !plain && i > 0 && /^[\d.,]+( \w+)?$/.test(String(cell));
  return element(
      "table", {},
      ...rows.map(
          (row) => element(
              "tr", {},
              ...row.map(
                  (cell, i) =>
                      element("td", numeric(cell, i) ? {class: "number"} : {}, String(cell))))));
}

function nodePanel(node) {
  const verdict = verdictOf(node);
  const [mark, tone] = kMarks[verdict];
  const out = [
    element(
        "h2", {}, element("span", {class: "mark " + tone}, mark),
        `${kKinds[node.kind] || ""} ${node.kind || "node"} ${node.id}`,
        element("span", {class: "soft"}, verdict)),
    textWithSpans(node)
  ];
  if (node.value) out.push(heading("Value"), element("pre", {}, element("code", {}, node.value)));
  if (node.formal)
    out.push(heading("Formal"), element("pre", {}, element("code", {}, node.formal)));
  out.push(...checkList(node), ...confidenceBars(node));
  if (node.evidence && node.evidence.length) {
    out.push(
        heading("Evidence"),
        ...node.evidence.map(
            (item) => element(
                "p", {}, `${item.relation || "from"} ${item.source || "?"}`,
                element(
                    "span", {class: "soft"},
                    `${Array.isArray(item.span) ? ` [${item.span.join("–")}]` : ""} score ${
                        Number(item.score || 0).toFixed(2)}`))));
  }
  if (node.tokens && node.tokens.length)
    out.push(heading("Tokens"), tokenScale(), tokenText(node.tokens));
  const search = node.search || {};
  if (Object.keys(search).length) {
    out.push(heading("Search"), table([
               ["depth", search.depth || 0], ["visits", search.visits || 0],
               ["value", Number(search.value || 0).toFixed(3)],
               ["prior", Number(search.prior || 0).toFixed(3)]
             ]));
  }
  if (node.kv)
    out.push(
        heading("Keys and values"),
        table([["shared tokens", node.kv.shared || 0], ["new tokens", node.kv.new || 0]]));
  return [...out, ...links(node)];
}

function stageRows() {
  if (!shown.stages.length) return [];
  const timeline = element("div", {class: "timeline"});
  for (const stage of shown.stages) {
    const failed = !["done", "skipped"].includes(stage.outcome);
    timeline.append(element("i", {
      class: failed ? "bad" : "",
      title: `${stage.name}: ${milliseconds(stage.ms || 0)}`,
      style: {flex: String(Math.max(stage.ms || 0, 0.001))}
    }));
  }
  return [
    heading("Stages"), timeline,
    table(shown.stages.map(
        (stage) =>
            [stage.name || "", milliseconds(stage.ms || 0), `${stage.tokens || 0} tokens`,
             stage.outcome || ""]))
  ];
}

function budgetRows() {
  const budget = shown.budget || {};
  const rows = [];
  if (budget.tokens) rows.push(["tokens drawn", budget.tokens]);
  if (budget.calls) rows.push(["continuations", budget.calls]);
  if (budget.ms) rows.push(["time", milliseconds(budget.ms)]);
  if (budget.kv_reused) rows.push(["tokens not computed again", budget.kv_reused]);
  if (budget.kv_bytes) rows.push(["keys and values", `${(budget.kv_bytes / 1e6).toFixed(1)} MB`]);
  return rows.length ? [heading("Budget"), table(rows)] : [];
}

function overviewPanel() {
  const out = [element("h2", {}, "The answer")];
  if (shown.answer) out.push(element("p", {class: "text"}, shown.answer));
  if (shown.uncertainty)
    out.push(
        heading("What is not certain"), element("p", {class: "text doubt"}, shown.uncertainty));
  if (typeof shown.confidence === "number")
    out.push(
        heading("Confidence"), bars([["answer", Math.min(1, Math.max(0, shown.confidence)), ""]]));
  for (const [i, conflict] of shown.conflicts.entries()) {
    if (i === 0) out.push(heading("Conflicts"));
    out.push(
        element("p", {class: "bad"}, conflict.reason || ""),
        ...(conflict.nodes || []).map((id) => jump(id)));
  }
  const counts = {verified: 0, refuted: 0, unsupported: 0, unchecked: 0};
  for (const node of shown.nodes) ++counts[verdictOf(node)];
  out.push(
      heading("Nodes"),
      element(
          "p", {},
          ...Object.entries(counts)
              .filter(([, count]) => count)
              .flatMap(
                  ([status, count]) =>
                      [element("b", {class: kMarks[status][1]}, kMarks[status][0]),
                       ` ${count} ${status}  `])));
  const path =
      shown.nodes.filter((node) => onPath.has(node.id) && node.tokens && node.tokens.length);
  if (path.length) {
    out.push(heading("How sure of each token, on the way to the answer"), tokenScale());
    for (const node of path.slice(0, 40)) {
      const text = tokenText(node.tokens.slice(0, 600));
      text.prepend(
          element("b", {class: kMarks[verdictOf(node)][1]}, kMarks[verdictOf(node)][0] + " "));
      out.push(text);
    }
  }
  out.push(...stageRows(), ...budgetRows(), heading("Made by"));
  const rows = [
    ["id", shown.id || ""], ["model", shown.model && shown.model.name || ""],
    ["strategy", shown.strategy || ""], ["seed", String(shown.seed ?? "")]
  ];
  if (shown.created_ms)
    rows.push([
      "begun", new Date(shown.created_ms).toISOString().replace("T", " ").slice(0, 19) + " UTC"
    ]);
  for (const [name, value] of Object.entries(shown.settings || {}))
    rows.push([name, typeof value === "string" ? value : JSON.stringify(value)]);
  out.push(table(rows.filter(([, value]) => value !== ""), true));
  return out;
}

function showPanel() {
  const node = view.selected && shownById.get(view.selected);
  const back = element(
      "button", {class: "jump", type: "button", onclick: () => select(null)},
      "← the whole answer (Esc)");
  panel.replaceChildren(...(node ? [back, ...nodePanel(node)] : overviewPanel()));
}
