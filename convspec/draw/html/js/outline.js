// The table: every group and layer that the picture shows, one a row, with its numbers.

const COLUMNS = [
  ["name", "Block or layer"],
  ["what", "What"],
  ["output", "Output"],
  ["params", "Parameters"],
  ["macs", "MACs"],
  ["share", "of all"],
  ["memory", "Memory"],
  ["field", "Field"],
];

function showOutline(app) {
  const body = el("tbody", {});
  const add = (node, level, times, open) => body.append(outlineRow(app, node, level, times, open));
  const visit = (group, level) => {
    const counts = new Map(group.stacks.map(({ first, count }) => [first, count]));
    for (let at = 0; at < group.children.length; at += 1) {
      const child = group.children[at];
      const stacked = child.kind === "group" && !app.state.unrolled.has(child.id) ? counts.get(at) || 1 : 1;
      const open = child.kind === "group" ? app.state.open.has(child.id) : null;
      add(child, level, stacked, open);
      if (open) visit(child, level + 1);
      at += stacked - 1;
    }
  };
  for (const end of app.model.data.inputs) add(end, 1, 1, null);
  visit(app.model.root, 1);
  for (const end of app.model.data.outputs) add(end, 1, 1, null);
  const { weights } = app.model.root;
  const totals = el("tr", {}, el("th", { scope: "row", colspan: 3 }, "all"), ...numberCells(app.model.root, weights, 1), el("td", {}));
  byId("outline").replaceChildren(el("table", { role: "treegrid", "aria-label": "layers" },
    el("thead", {}, el("tr", {}, ...COLUMNS.map(([name, title]) => el("th", { scope: "col", class: name }, title)))), body, el("tfoot", {}, totals)));
}

function numberCells(node, whole, times) {
  const measure = node.weights || { macs: 0 };
  const count = times > 1 ? (value) => (typeof value === "number" ? value * times : value === undefined ? value : `${times}·(${value})`) : (value) => value;
  const has = node.parameters !== undefined;
  return [
    el("td", { class: "number" }, has ? exact(count(node.parameters)) : ""),
    el("td", { class: "number" }, has ? short(count(node.macs)) : ""),
    el("td", { class: "number" }, has ? percent(measure.macs * times, whole.macs) : ""),
    el("td", { class: "number" }, has ? shortBytes(count(node.activation_bytes)) : ""),
  ];
}

function outlineRow(app, node, level, times, open) {
  const fold = open === null ? el("span", { class: "no-fold" }) : el("button", {
    type: "button", class: "fold", "aria-label": `${open ? "fold" : "unfold"} ${titleOf(node)}`, on: { click: (event) => { event.stopPropagation(); app.toggle(node.id); } },
  }, open ? "▾" : "▸");
  const stack = times > 1 ? el("button", { type: "button", class: "stack", "aria-label": `${times} that are alike: one by one`, on: { click: (event) => { event.stopPropagation(); app.unroll(node.id); } } }, markOf(app.model, node.id, times)) : null;
  const name = node.label || titleOf(node);
  const what = node.kind === "layer" ? node.text : node.kind === "group" ? [titleOf(node) === name ? "" : titleOf(node), node.arguments].filter(Boolean).join(" · ") : node.kind;
  const row = el("tr", {
    "data-id": node.id, role: "row", tabindex: "-1", "aria-level": level, "aria-expanded": open === null ? null : String(open),
    "aria-selected": String(app.selected === node.id), class: node.kind, on: { click: () => app.choose(node.id, false) },
  },
    el("th", { scope: "row" }, fold, el("span", { class: "name" }, cut(name, 60)), stack),
    el("td", { class: "what" }, el("code", {}, cut(what, 80))),
    el("td", { class: "output" }, outputText(app.model, node)),
    ...numberCells(node, app.model.root.weights, times),
    el("td", { class: "number" }, node.kind === "layer" ? fieldText(node.receptive_field) : ""));
  row.firstChild.style.paddingLeft = `${(level - 1) * 18 + 6}px`;
  return row;
}

/** ↑ ↓ between rows, ← → fold and unfold. */
function outlineKeys(app, event) {
  const row = event.target.closest("tr[data-id]");
  if (!row || event.target.closest("button")) return;
  const id = row.dataset.id;
  const rows = [...byId("outline").querySelectorAll("tr[data-id]")];
  const at = rows.indexOf(row);
  const focus = (next) => next && next.focus();
  const open = row.getAttribute("aria-expanded");
  if (event.key === "ArrowDown") focus(rows[at + 1]);
  else if (event.key === "ArrowUp") focus(rows[at - 1]);
  else if (event.key === "ArrowRight" && open === "false") app.toggle(id);
  else if (event.key === "ArrowLeft" && open === "true") app.toggle(id);
  else if (event.key === "ArrowLeft") focus(rows.find((each) => each.dataset.id === (app.model.parents.get(id) || {}).id));
  else if (event.key === "Enter" || event.key === " ") app.choose(id, false);
  else return;
  event.preventDefault();
}
