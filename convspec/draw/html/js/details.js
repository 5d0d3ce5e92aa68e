// The pane of what was clicked: its numbers, its line in the spec, what it sees of the input.

function showDetails(app, node) {
  const pane = byId("details");
  if (!node) {
    pane.replaceChildren(...overview(app));
    return;
  }
  const parts = [heading(app, node), numbersOf(app, node)];
  const after = [];
  if (node.source) parts.push(sourceSection(app, node, after));
  const field = fieldSection(app, node);
  if (field) parts.push(field);
  pane.replaceChildren(...parts.filter(Boolean));
  pane.scrollTop = 0;
  for (const run of after) run();
}

function overview(app) {
  const { data } = app.model;
  const lines = data.doc ? data.doc.split(/\n\s*\n/).map((part) => part.replace(/\s*\n\s*/g, " ")) : [];
  return [
    el("h2", {}, data.name),
    ...lines.map((line) => el("p", { class: "doc" }, line)),
    totalsTable(app),
    el("p", { class: "note" }, "Choose a layer or block to see its numbers, its line in the spec, and what it sees of the input."),
    el("details", { class: "keys" }, el("summary", {}, "Keys"), keysTable()),
  ];
}

const KEYS = [
  ["/", "search"],
  ["↑ ↓", "the box before, the next"],
  ["← →", "fold, unfold, out, in"],
  ["Enter", "choose"],
  ["s", "a stack one by one, and back"],
  ["[ ]", "one level less, one more"],
  ["+ − 0", "larger, smaller, all of it"],
  ["Shift + arrows", "move the picture"],
  ["t", "table"],
  ["d", "dark or light"],
  ["Esc", "choose nothing"],
];

function keysTable() {
  return el("table", { class: "numbers" }, ...KEYS.map(([key, what]) => el("tr", {}, el("th", { scope: "row" }, el("kbd", {}, key)), el("td", {}, what))));
}

function rowsTable(rows) {
  return el("table", { class: "numbers" }, ...rows.map(([name, value, note]) =>
    el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, value, note ? el("span", { class: "note" }, ` ${note}`) : null))));
}

function totalsTable(app) {
  const { data } = app.model;
  const { totals } = data;
  const at = Object.entries(data.sizes).map(([name, value]) => `${name} = ${value}`).join(", ");
  return rowsTable([
    ...data.inputs.map((end) => [`input ${end.name}`, typeText(end)]),
    ...data.outputs.map((end) => [`output ${end.name}`, typeText(end)]),
    ["parameters", exact(totals.parameters)],
    ...(totals.running_statistics ? [["running statistics", exact(totals.running_statistics)]] : []),
    ["MACs", exact(totals.macs), typeof totals.macs === "string" ? `${short(Math.round(totals.weights.macs))} at ${basisText(data)}` : ""],
    ["FLOPs", exact(totals.flops)],
    ["activations, peak", shortBytes(totals.activation_memory)],
    ["layers", app.model.layers.length.toLocaleString("en")],
    ...(at ? [["sizes given", at]] : []),
    ...(data.open_sizes.length ? [["sizes open", data.open_sizes.join(", "), `colours and what is seen at ${basisText(data)}`]] : []),
  ]);
}

function basisText(data) {
  return Object.entries(data.basis).filter(([name]) => data.open_sizes.includes(name)).map(([name, value]) => `${name} = ${value}`).join(", ");
}

function heading(app, node) {
  const crumbs = around(app.model, node.id);
  const trail = crumbs.length
    ? el("nav", { class: "trail", "aria-label": "blocks around it" }, el("ol", {}, ...crumbs.map((group) =>
        el("li", {}, el("button", { type: "button", on: { click: () => app.choose(group.id, true) } }, titleOf(group), group.label && group.label !== titleOf(group) ? el("small", {}, ` ${group.label}`) : null)))))
    : null;
  const text = node.kind === "layer" ? node.text : node.kind === "group" ? `${titleOf(node)}${node.arguments ? `(${node.arguments})` : ""}` : `${node.kind} ${node.name}`;
  return el("header", {}, trail, el("h2", {}, node.kind === "layer" && node.path ? node.path : nameOf(node)), el("p", { class: "what" }, el("code", {}, text)),
    node.doc ? el("p", { class: "doc" }, node.doc) : null, sharedNote(app, node));
}

function sharedNote(app, node) {
  const first = node.shared_with && app.model.nodes.get(node.shared_with);
  if (first) {
    return el("p", { class: "note" }, "Its weights are those of ", el("button", { type: "button", class: "link", on: { click: () => app.choose(first.id, true) } }, nameOf(first)), ", and count there.");
  }
  return node.shared ? el("p", { class: "note" }, "Its weights are shared with every use of the same layer.") : null;
}

function numberRows(app, node) {
  const { weights } = app.model.root;
  if (node.kind === "input" || node.kind === "output") return [["type", typeText(node)]];
  const rows = [];
  if (node.kind === "layer") {
    node.inputs.forEach((type, at) => rows.push([node.inputs.length > 1 ? `input ${at + 1}` : "input", typeText(type)]));
    node.outputs.forEach((type, at) => rows.push([node.outputs.length > 1 ? `output ${at + 1}` : "output", typeText(type)]));
  } else {
    rows.push(["output", outputText(app.model, node) || "–"], ["layers", layersOf(app.model, node).length.toLocaleString("en")]);
  }
  rows.push(
    ["parameters", exact(node.parameters), percent(node.weights.params, weights.params)],
    ["MACs", exact(node.macs), atBasis(node.macs, node.weights.macs, short) + percent(node.weights.macs, weights.macs)],
    ["FLOPs", exact(node.flops)],
    [node.kind === "layer" ? "memory of its output" : "memory of its outputs", shortBytes(node.activation_bytes), atBasis(node.activation_bytes, node.weights.memory, shortBytes) + percent(node.weights.memory, weights.memory)],
  );
  if (node.running_statistics) rows.push(["running statistics", exact(node.running_statistics)]);
  return rows;
}

/** What an expression comes to where the colours are counted. */
function atBasis(value, weight, words) {
  return typeof value === "string" && /[a-z]/i.test(value) ? `= ${words(Math.round(weight))}, ` : "";
}

function percent(part, whole) {
  return part > 0 ? share(part, whole) : "";
}

function numbersOf(app, node) {
  return el("section", { "aria-label": "numbers" }, rowsTable([...numberRows(app, node), ...fieldRows(node)]));
}

/** Size, jump and offset of the receptive field. */
function fieldRows(node) {
  const fields = node.kind === "layer" ? node.receptive_field : [];
  if (!fields.length) return [];
  const each = (part) => fields.map((field) => (field ? field[part] : "all"));
  const joined = (values) => (values.every((value) => value === values[0]) && values.length > 1 && values[0] !== "all" ? `${values[0]} on each axis` : values.join(" × "));
  if (fields.every((field) => field === null)) return [["receptive field", "whole axes of the input"]];
  return [["receptive field", fieldText(fields)], ["jump", joined(each("jump"))], ["offset", joined(each("offset"))]];
}

function sourceSection(app, node, after) {
  const section = el("section", { class: "source-section" });
  const show = (step) => {
    const pane = sourcePane(app.model.data, step.source);
    const defined = step.kind === "group" && step.definition
      ? el("button", { type: "button", class: "link", on: { click: () => show({ ...step, source: step.definition, definition: null }) } }, "its definition")
      : null;
    section.replaceChildren(
      ...[el("h3", {}, "In the spec ", el("span", { class: "where" }, pane.title), defined ? " " : null, defined), chainButtons(app, node, step, show), pane.box].filter(Boolean));
    pane.show();
  };
  show(node);
  after.push(() => show(node));
  return section;
}
