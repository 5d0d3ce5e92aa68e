// The input to scale, with the window of a unit on it: two axes as a picture, one as a bar. What lies outside the input is padding.

const WIDEST = 340;
const HIGHEST = 300;
const BAR = 46;
const THINNEST = 14;
const MOST_DOTS = 2500;

/**
 * A drawing of two axes (or of one: `rows` is null). An axis is {size, window, centres, chosen}, its window as `windowAlong`
 * gives it. `pick(column, row)` is told the cell that the pointer is on.
 */
function plane(columns, rows, { label, pick, small }) {
  const across = span(columns);
  const down = rows ? span(rows) : { start: 0, length: 1 };
  const scale = rows ? scales(across, down, small ? 0.56 : 1) : [WIDEST / across.length, BAR];
  const [width, height] = [across.length * scale[0], down.length * scale[1]];
  const map = { x: (cell) => (cell - across.start) * scale[0], y: (cell) => (cell - down.start) * scale[1], scale };
  const input = { x: map.x(0), y: map.y(0), width: columns.size * scale[0], height: (rows ? rows.size : 1) * scale[1] };
  const picture = shape("svg", { viewBox: `-1 -1 ${width + 2} ${height + 2}`, width: width + 2, height: height + 2, role: "img", "aria-label": label });
  picture.append(shape("rect", { class: "outside", x: 0, y: 0, width, height }));
  if (!rows) picture.append(bar(input));
  const layers = [picture];
  const above = rows ? picture.cloneNode(false) : picture;
  if (rows) {
    above.classList.add("above");
    picture.setAttribute("aria-hidden", "true");
    layers.push(canvasOf(columns, rows, input), above);
    gridLines(above, columns, rows, input, scale);
  }
  windowShapes(above, columns, rows, map, input, [width, height]);
  above.append(shape("rect", { class: "input-edge", ...input }));
  unitDots(above, columns, rows, map);
  const tell = (event, place) => {
    const px = ((event.clientX - place.left) / place.width) * (width + 2) - 1;
    const py = ((event.clientY - place.top) / place.height) * (height + 2) - 1;
    pick(px / scale[0] + across.start - 0.5, py / scale[1] + down.start - 0.5);
  };
  return el("div", { class: "plane" }, ...layers, el("div", { class: "picker", on: { pointerdown: (event) => startPicking(event, tell) } }));
}

/** Follows the pointer until it is let go. The drawing is made anew meanwhile, so its place is measured once. */
function startPicking(event, tell) {
  event.preventDefault();
  const place = event.currentTarget.getBoundingClientRect();
  const follow = (moved) => tell(moved, place);
  const end = () => {
    removeEventListener("pointermove", follow);
    for (const name of ["pointerup", "pointercancel"]) removeEventListener(name, end);
  };
  addEventListener("pointermove", follow);
  for (const name of ["pointerup", "pointercancel"]) addEventListener(name, end);
  follow(event);
}

/** What is drawn of an axis: the input, and as much of the padding as half of it on either side. */
function span({ size, window }) {
  const most = Math.max(2, Math.ceil(size / 2));
  const before = Math.min(window.before, most);
  const after = Math.min(window.after, most);
  return { start: -before, length: size + before + after };
}

/** Points per cell; equal on both axes unless one would be too thin to see. */
function scales(across, down, part) {
  const even = Math.min((WIDEST * part) / across.length, (HIGHEST * part) / down.length, 40);
  return [Math.max(even, THINNEST / across.length), Math.max(even, THINNEST / down.length)];
}

function canvasOf(columns, rows, input) {
  const painted = landscape(columns.size, rows.size);
  const canvas = el("canvas", { width: painted.width, height: painted.height, "aria-hidden": "true" });
  canvas.getContext("2d").drawImage(painted, 0, 0);
  Object.assign(canvas.style, { left: `${input.x + 1}px`, top: `${input.y + 1}px`, width: `${input.width}px`, height: `${input.height}px` });
  return canvas;
}

function bar(input) {
  return shape("g", { transform: `translate(${input.x} 0)` },
    shape("rect", { class: "bar", width: input.width, height: BAR }), shape("path", { class: "signal", d: signal(input.width, BAR) }));
}

/** Lines between cells, where there is room for them. */
function gridLines(picture, columns, rows, input, scale) {
  if (Math.min(...scale) < 5) return;
  let text = "";
  for (let cell = 1; cell < columns.size; cell += 1) text += `M${input.x + cell * scale[0]} ${input.y}v${input.height}`;
  for (let cell = 1; cell < rows.size; cell += 1) text += `M${input.x} ${input.y + cell * scale[1]}h${input.width}`;
  picture.append(shape("path", { class: "grid", d: text }));
}

function box(first, last, map, rows) {
  const [x, y] = [map.x(first[0]), rows ? map.y(first[1]) : 0];
  return { x, y, width: map.x(last[0] + 1) - x, height: (rows ? map.y(last[1] + 1) : BAR) - y };
}

function ring({ x, y, width, height }) {
  return `M${x} ${y}h${width}v${height}h${-width}z`;
}

/** A veil over what is not seen, hatching over padding, a frame around what is seen. */
function windowShapes(picture, columns, rows, map, input, [width, height]) {
  const windows = [columns.window, rows ? rows.window : { cells: [0, 0], hull: [0, 0] }];
  if (windows.some((window) => !window.cells)) {
    picture.append(shape("path", { class: "shade", d: ring(input) }));
    return;
  }
  const at = (part, end) => windows.map((window) => window[part][end]);
  const seen = box(at("cells", 0), at("cells", 1), map, rows);
  const whole = box(at("hull", 0), at("hull", 1), map, rows);
  // The padding may reach past what is drawn.
  const left = Math.max(0, whole.x);
  const top = Math.max(0, whole.y);
  const shown = { x: left, y: top, width: Math.min(width, whole.x + whole.width) - left, height: Math.min(height, whole.y + whole.height) - top };
  picture.append(shape("path", { class: "shade", "fill-rule": "evenodd", d: ring(input) + ring(seen) }));
  if (windows.some((window) => window.before || window.after)) {
    const covered = box(windows.map(({ hull, before }) => (before ? 0 : hull[0])), windows.map(({ hull, after, cells }) => (after ? hull[1] - after : Math.max(hull[1], cells[1]))), map, rows);
    picture.append(shape("path", { class: "padding", "fill-rule": "evenodd", d: ring(shown) + ring(covered) }), shape("rect", { class: "hull", ...shown }));
  }
  picture.append(shape("rect", { class: "window", ...seen }));
}

/** The middles of what each unit sees, where they do not crowd. */
function unitDots(picture, columns, rows, map) {
  const apart = (axis, points) => (axis.centres.length > 1 ? Math.abs(axis.centres[1] - axis.centres[0]) * points : 99);
  const across = columns.centres.length || 1;
  const down = rows ? rows.centres.length || 1 : 1;
  if (across * down > MOST_DOTS || apart(columns, map.scale[0]) < 5 || (rows && apart(rows, map.scale[1]) < 5)) return;
  const dots = shape("g", { class: "units", "aria-hidden": "true" });
  const places = (axis) => (axis.centres.length ? axis.centres : [null]);
  places(rows || { centres: [] }).forEach((row, r) => places(columns).forEach((column, c) => {
    if (column === null || (rows && row === null)) return;
    const chosen = c === columns.chosen && (!rows || r === rows.chosen);
    dots.append(shape("circle", { class: chosen ? "chosen" : null, cx: map.x(column + 0.5), cy: rows ? map.y(row + 0.5) : BAR / 2, r: chosen ? 3.4 : 1.4 }));
  }));
  picture.append(dots);
}
