// What a layer sees of the input: a unit of its output, chosen by slider or pointer, and its window on every input.

function fieldSection(app, node) {
  const { fields } = app.model.data;
  const seen = node.kind === "layer" ? fields.layers[node.id] : null;
  if (!seen || !seen.sees.length) return null;
  const section = el("section", { class: "field", "aria-label": "what it sees of the input" });
  const units = seen.units;
  const unit = app.unit && app.unit.length === units.length ? app.unit.map((at, axis) => Math.min(at, units[axis] - 1)) : units.map((size) => Math.floor(size / 2));
  const view = { app, node, fields, seen, units, unit, planes: el("div", { class: "planes" }), said: el("div", { class: "said" }), sliders: [] };
  section.append(el("h3", {}, "What it sees of the input"), chooser(view), view.planes, view.said);
  const open = app.model.data.open_sizes.length ? `Drawn at ${Object.entries(fields.sizes).map(([name, value]) => `${name} = ${value}`).join(", ")}; give others with --sizes. ` : "";
  section.append(el("p", { class: "note" }, `${open}Shaded: not seen. Hatched: padding, where the field leaves the input.`));
  showUnit(view);
  return section;
}

function chooser(view) {
  const names = axisNames(view.units.length);
  const box = el("div", { class: "unit" });
  view.units.forEach((size, axis) => {
    const set = (event) => {
      const value = Math.round(Number(event.target.value));
      if (!Number.isFinite(value)) return;
      view.unit[axis] = Math.max(0, Math.min(size - 1, value));
      showUnit(view);
    };
    const slider = el("input", { type: "range", min: 0, max: size - 1, value: view.unit[axis], "aria-label": `unit, ${names[axis]}`, disabled: size < 2, on: { input: set } });
    const number = el("input", { type: "number", min: 0, max: size - 1, value: view.unit[axis], "aria-label": `unit, ${names[axis]}, as a number`, on: { change: set } });
    view.sliders.push([slider, number]);
    box.append(el("label", {}, el("span", {}, `${names[axis]}`), slider), number, el("span", { class: "note" }, `of ${size.toLocaleString("en")}`));
  });
  return view.units.length ? box : el("p", { class: "note" }, "Its output has no axes of space: every number in it sees what is shown.");
}

function showUnit(view) {
  const { app, unit, fields, seen } = view;
  app.unit = [...unit];
  view.sliders.forEach(([slider, number], axis) => {
    slider.value = number.value = unit[axis];
  });
  const drawings = [];
  const texts = [];
  for (const each of seen.sees) {
    const input = fields.inputs[each.input];
    const windows = each.axes.map((axis, at) => windowAlong(fields, axis, input.axes[at], unit[axis.unit ?? at] ?? 0));
    const title = fields.inputs.length > 1 ? el("h4", {}, input.name) : null;
    drawings.push(el("figure", {}, title, ...planesOf(view, each, input, windows)));
    texts.push(windowTable(view, input, windows, each));
  }
  view.planes.replaceChildren(...drawings);
  view.said.replaceChildren(...texts);
}

/** Two axes as one picture, three as three, one as a bar, more as bars. */
function planesOf(view, each, input, windows) {
  const count = windows.length;
  const axes = windows.map((window, at) => axisOf(view, each, input, window, at));
  const label = windows.map((window, at) => `${axisNames(count)[at]} ${cellText(window)}`).join(", ");
  const draw = (across, down) => {
    const columns = axes[across];
    const rows = down === null ? null : axes[down];
    columns.pick = (column, row) => {
      columns.choose(column);
      if (rows) rows.choose(row);
      showUnit(view);
    };
    return plane(columns, rows, `${input.name}: ${label}`);
  };
  if (count === 2) return [draw(1, 0)];
  if (count === 3) return [[2, 1], [2, 0], [1, 0]].map(([across, down]) => el("div", { class: "one-plane" }, el("span", { class: "note" }, `${axisNames(3)[down]}${axisNames(3)[across]}`), draw(across, down)));
  return axes.map((_, at) => draw(at, null));
}

function axisOf(view, each, input, window, at) {
  const axis = each.axes[at];
  const place = axis.unit ?? at;
  const size = input.axes[at];
  const units = view.units[place] || 1;
  const centres = [];
  for (let unit = 0; unit < Math.min(units, 400); unit += 1) {
    const { hull } = axis.table === null || units > 400 ? { hull: null } : windowAlong(view.fields, axis, size, unit);
    if (hull) centres.push({ at: (hull[0] + hull[1]) / 2, chosen: unit === view.unit[place] });
  }
  const choose = (cell) => {
    if (place < view.units.length && axis.table !== null) view.unit[place] = unitAt(view.fields, axis, size, units, cell);
  };
  return { size, window, centres, choose };
}

function cellText({ cells }) {
  return cells ? `${cells[0]} … ${cells[1]}` : "none";
}

function windowTable(view, input, windows, each) {
  const names = axisNames(windows.length);
  const unit = view.unit.length ? `unit [${view.unit.join(", ")}]` : "every number";
  const rows = windows.map((window, at) => {
    const padding = [window.before ? `${window.before} before` : "", window.after ? `${window.after} after` : ""].filter(Boolean).join(", ");
    const count = window.cells ? window.cells[1] - window.cells[0] + 1 : 0;
    const note = each.axes[at].table === null ? "the whole axis" : padding ? `+ padding: ${padding}` : "";
    return el("tr", { "data-axis": names[at], "data-input": input.id }, el("th", { scope: "row" }, names[at]), el("td", { class: "cells" }, cellText(window)), el("td", {}, `${count.toLocaleString("en")} of ${input.axes[at].toLocaleString("en")}`), el("td", { class: "note" }, note));
  });
  return el("table", { class: "numbers window-table" }, el("caption", {}, `${unit} sees of ${input.name}`), ...rows);
}
