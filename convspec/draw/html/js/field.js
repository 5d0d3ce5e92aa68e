// What a layer sees of the input: a unit of its output, chosen by slider or pointer, and its window on every input.

const MOST_MIDDLES = 20000;

function fieldSection(app, node) {
  const { fields } = app.model.data;
  const seen = Object.hasOwn(fields.layers, node.id) ? fields.layers[node.id] : null;
  if (!seen) return null;
  const section = el("section", { class: "field", "aria-label": "what it sees of the input" });
  const middle = seen.units.map(([, size]) => Math.floor(size / 2));
  const kept = app.unit && app.unit.length === middle.length ? app.unit : middle;
  const view = { app, node, fields, seen, unit: kept.map((place, at) => Math.min(place, seen.units[at][1] - 1)), sliders: [] };
  view.planes = el("div", { class: "planes" });
  view.said = el("div", { class: "said" });
  const open = app.model.data.open_sizes.length ? `Drawn at ${basisText(app.model.data)}; --sizes gives others. ` : "";
  section.append(
    el("h3", {}, "What it sees of the input", node.kind === "layer" && node.outputs.length > 1 ? el("span", { class: "where" }, " (its first output)") : null),
    chooser(view), view.planes, view.said,
    el("p", { class: "note" }, `${open}Veiled cells are not seen; hatched ones are padding, where the field leaves the input.`));
  showUnit(view);
  return section;
}

/** Names of the axes of the layer's output that a unit is chosen along. */
function unitNames(view) {
  const rank = (view.node.kind === "layer" ? view.node.outputs[0] : view.node).shape.length;
  const space = axisNames(rank - 2);
  return view.seen.units.map(([axis]) => (axis >= 2 ? space[axis - 2] : rank === 2 ? "feature" : "channel"));
}

function chooser(view) {
  const names = unitNames(view);
  const box = el("div", { class: "unit" });
  view.seen.units.forEach(([, size], at) => {
    const set = (event) => {
      const value = Math.round(Number(event.target.value));
      if (!Number.isFinite(value)) return;
      view.unit[at] = Math.max(0, Math.min(size - 1, value));
      showUnit(view);
      remember(view.app);
    };
    const name = `unit, ${names[at]}`;
    const slider = el("input", { type: "range", min: 0, max: size - 1, value: view.unit[at], "aria-label": name, disabled: size < 2, on: { input: set } });
    const number = el("input", { type: "number", min: 0, max: size - 1, value: view.unit[at], "aria-label": `${name}, as a number`, on: { change: set } });
    view.sliders.push([slider, number]);
    box.append(el("label", {}, el("span", {}, names[at]), slider), number, el("span", { class: "note" }, `of ${size.toLocaleString("en")}`));
  });
  return view.seen.units.length ? box : el("p", { class: "note" }, "Its output has no axes of space: every number in it sees what is shown.");
}

function showUnit(view) {
  const { app, unit, fields, seen } = view;
  app.unit = [...unit];
  view.position = Object.fromEntries(seen.units.map(([axis], at) => [axis, unit[at]]));
  view.sliders.forEach(([slider, number], at) => {
    slider.value = number.value = unit[at];
  });
  const drawings = [];
  const texts = [];
  for (const each of seen.sees) {
    const input = fields.inputs[each.input];
    const windows = each.axes.map((axis, at) => windowAlong(fields, axis, input.axes[at], view.position));
    const title = fields.inputs.length > 1 ? el("h4", {}, input.name) : null;
    drawings.push(el("figure", {}, title, ...planesOf(view, each, input, windows)));
    texts.push(windowTable(view, input, windows));
  }
  view.planes.replaceChildren(...drawings);
  view.said.replaceChildren(...texts);
}

/** Two axes as one picture, three as three, one as a bar, more as bars. */
function planesOf(view, each, input, windows) {
  const count = windows.length;
  const axes = windows.map((window, at) => axisOf(view, each.axes[at], input.axes[at], window));
  const names = axisNames(count);
  const label = `${input.name}: ${windows.map((window, at) => `${names[at]} ${cellText(window)}`).join(", ")}`;
  const draw = (across, down, small) => {
    const [columns, rows] = [axes[across], down === null ? null : axes[down]];
    const pick = (column, row) => {
      columns.choose(column);
      if (rows) rows.choose(row);
      showUnit(view);
      remember(view.app);
    };
    return plane(columns, rows, { label, pick, small });
  };
  if (count === 2) return [draw(1, 0, false)];
  if (count === 3) {
    return [[2, 1], [2, 0], [1, 0]].map(([across, down]) =>
      el("div", { class: "one-plane" }, el("span", { class: "note" }, `${names[across]} across, ${names[down]} down`), draw(across, down, true)));
  }
  return axes.map((_, at) => (count === 1 ? draw(at, null, false) : el("div", { class: "one-plane" }, el("span", { class: "note" }, names[at]), draw(at, null, false))));
}

/** An axis of an input as `plane` wants it. */
function axisOf(view, axis, size, window) {
  const along = driver(axis);
  const at = view.seen.units.findIndex(([each]) => each === along);
  const units = at >= 0 ? view.seen.units[at][1] : 0;
  const centres = units && units <= MOST_MIDDLES ? middles(view.fields, axis, size, units, view.position) : [];
  return {
    size,
    window,
    centres,
    chosen: at >= 0 ? view.unit[at] : 0,
    choose(cell) {
      if (at >= 0) view.unit[at] = centres.length ? unitAt(centres, cell) : Math.max(0, Math.min(units - 1, Math.round((cell / size) * units)));
    },
  };
}

function cellText({ cells }) {
  return cells ? (cells[0] === cells[1] ? `${cells[0]}` : `${cells[0]} … ${cells[1]}`) : "nothing";
}

function windowTable(view, input, windows) {
  const names = axisNames(windows.length);
  const chosen = unitNames(view).map((name, at) => `${name} = ${view.unit[at]}`).join(", ");
  const rows = windows.map((window, at) => {
    const size = input.axes[at];
    const count = window.cells ? window.cells[1] - window.cells[0] + 1 : 0;
    const padding = [window.before ? `${window.before} before` : "", window.after ? `${window.after} after` : ""].filter(Boolean).join(", ");
    const notes = [window.known ? "" : "too uneven to be tabulated here: at most", window.exact || !window.known ? "" : "at most", padding ? `padding: ${padding}` : ""];
    return el("tr", { "data-axis": names[at], "data-input": input.id, "data-window": JSON.stringify(window) },
      el("th", { scope: "row" }, names[at]), el("td", { class: "cells" }, cellText(window)),
      el("td", {}, `${count.toLocaleString("en")} of ${size.toLocaleString("en")}`), el("td", { class: "note" }, notes.filter(Boolean).join("; ")));
  });
  return el("table", { class: "numbers window-table" }, el("caption", {}, `The unit at ${chosen || "any place"} sees of ${input.name}`), ...rows);
}
