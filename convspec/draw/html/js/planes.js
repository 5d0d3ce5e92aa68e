// The input to scale, with the window of a unit on it: two axes as a picture, one as a bar. What lies outside the input is padding.

const WIDEST = 330;
const HIGHEST = 300;
const BAR = 46;

/**
 * A drawing of two axes (or one: `rows` is null).
 * columns, rows: {size, window, name, pick(cell)}, as `windowAlong` gives the window.
 */
function plane(columns, rows, label) {
  const across = span(columns);
  const down = rows ? span(rows) : null;
  const scale = rows ? scales(across, down) : [WIDEST / across.length, 1];
  const [width, height] = [across.length * scale[0], rows ? down.length * scale[1] : BAR];
  const x = (cell) => (cell - across.start) * scale[0];
  const y = rows ? (cell) => (cell - down.start) * scale[1] : (cell) => cell * BAR;
  const box = el("div", { class: "plane" });
  const picture = shape("svg", { viewBox: `-1 -1 ${width + 2} ${height + 2}`, width: width + 2, height: height + 2, role: "img", "aria-label": label });
  const rect = { x: x(0), y: y(0), width: columns.size * scale[0], height: rows ? rows.size * scale[1] : BAR };
  if (rows) box.append(canvasOf(columns, rows, rect));
  picture.append(shape("rect", { class: "outside", x: 0, y: 0, width, height }), ground(rect, rows));
  if (rows) gridLines(picture, columns, rows, rect, scale);
  windowShapes(picture, columns, rows, { x, y, rect, scale });
  picture.append(shape("rect", { class: "input-edge", ...rect }));
  unitDots(picture, columns, rows, x, y, scale);
  box.append(picture);
  const pick = (event) => {
    const at = picture.getBoundingClientRect();
    const [px, py] = [((event.clientX - at.left) / at.width) * (width + 2) - 1, ((event.clientY - at.top) / at.height) * (height + 2) - 1];
    columns.pick(px / scale[0] + across.start - 0.5, rows ? py / scale[1] + down.start - 0.5 : null);
  };
  box.append(el("div", { class: "picker", on: { pointerdown: (event) => startPicking(event, pick) } }));
  return box;
}

function startPicking(event, pick) {
  event.preventDefault();
  pick(event);
  const move = (moved) => pick(moved);
  const stop = () => {
    removeEventListener("pointermove", move);
    removeEventListener("pointerup", stop);
    removeEventListener("pointercancel", stop);
  };
  addEventListener("pointermove", move);
  addEventListener("pointerup", stop);
  addEventListener("pointercancel", stop);
}

/** What is drawn of an axis: the input, and as much of the padding as half of it on either side. */
function span({ size, window }) {
  const most = Math.max(2, Math.ceil(size / 2));
  const before = Math.min(window.before, most);
  const after = Math.min(window.after, most);
  return { start: -before, length: size + before + after };
}

/** Points per cell; equal on both axes unless one would be too thin to see. */
function scales(across, down) {
  const even = Math.min(WIDEST / across.length, HIGHEST / down.length, 40);
  return [Math.max(even, 24 / across.length), Math.max(even, 24 / down.length)];
}

function canvasOf(columns, rows, rect) {
  const painted = landscape(columns.size, rows.size);
  const canvas = el("canvas", { width: painted.width, height: painted.height, "aria-hidden": "true" });
  canvas.getContext("2d").drawImage(painted, 0, 0);
  Object.assign(canvas.style, { left: `${rect.x + 1}px`, top: `${rect.y + 1}px`, width: `${rect.width}px`, height: `${rect.height}px` });
  return canvas;
}

function ground(rect, rows) {
  if (rows) return shape("g", {});
  return shape("g", { transform: `translate(${rect.x} 0)` }, shape("rect", { class: "bar", width: rect.width, height: BAR }), shape("path", { class: "signal", d: signal(rect.width, BAR) }));
}

/** Lines between cells, where there is room for them. */
function gridLines(picture, columns, rows, rect, scale) {
  if (Math.min(...scale) < 5) return;
  let text = "";
  for (let cell = 1; cell < columns.size; cell += 1) text += `M${rect.x + cell * scale[0]} ${rect.y}v${rect.height}`;
  for (let cell = 1; cell < rows.size; cell += 1) text += `M${rect.x} ${rect.y + cell * scale[1]}h${rect.width}`;
  picture.append(shape("path", { class: "grid", d: text }));
}

function windowShapes(picture, columns, rows, { x, y, rect }) {
  const size = [rect.width, rect.height];
  const end = [rect.x + rect.width, rect.y + rect.height];
  const cells = [columns.window.cells, rows ? rows.window.cells : [0, 0]];
  if (cells.includes(null)) return;
  const hull = [columns.window.hull, rows ? rows.window.hull : [0, 0]];
  const box = (found) => ({ x: x(found[0][0]), y: y(found[1][0]), width: x(found[0][1] + 1) - x(found[0][0]), height: y(found[1][1] + 1) - y(found[1][0]) });
  const [seen, whole] = [box(cells), box(hull)];
  const frame = `M${rect.x} ${rect.y}h${size[0]}v${size[1]}h${-size[0]}z`;
  picture.append(shape("path", { class: "shade", "fill-rule": "evenodd", d: `${frame}M${seen.x} ${seen.y}h${seen.width}v${seen.height}h${-seen.width}z` }));
  const leaves = whole.x < rect.x || whole.y < rect.y || whole.x + whole.width > end[0] + 0.01 || whole.y + whole.height > end[1] + 0.01;
  if (leaves) {
    const inner = `M${whole.x} ${whole.y}h${whole.width}v${whole.height}h${-whole.width}z`;
    picture.append(shape("path", { class: "padding", "fill-rule": "evenodd", d: `${inner}${frame}`, "clip-path": null }), shape("path", { class: "hull", d: inner }));
  }
  picture.append(shape("rect", { class: "window", ...seen }));
}

/** The middles of what each unit sees, where they do not crowd. */
function unitDots(picture, columns, rows, x, y, scale) {
  const along = (axis) => axis.centres.map(({ at, chosen }) => ({ at: at + 0.5, chosen }));
  const step = (axis, points) => (axis.centres.length > 1 ? Math.abs(axis.centres[1].at - axis.centres[0].at) * points : 99);
  const few = columns.centres.length * (rows ? rows.centres.length : 1) <= 2500;
  if (!few || step(columns, scale[0]) < 6 || (rows && step(rows, scale[1]) < 6)) return;
  const downs = rows ? along(rows) : [{ at: 0.5, chosen: true }];
  const dots = shape("g", { class: "units", "aria-hidden": "true" });
  for (const row of downs) for (const column of along(columns)) {
    const chosen = row.chosen && column.chosen;
    dots.append(shape("circle", { class: chosen ? "chosen" : null, cx: x(column.at), cy: y(row.at), r: chosen ? 3.2 : 1.4 }));
  }
  picture.append(dots);
}
