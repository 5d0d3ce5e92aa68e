// Which cells of the input a unit sees. The page has tables: a unit's place along an axis of its tensor gives the first and the
// last cell. A position is an object: axis of the tensor (the batch is 0) → place.

/** [first, last] of a table at a place; null where nothing is seen. */
function cellsOf(table, at) {
  const runs = table.parts[at % table.parts.length];
  const place = Math.floor(at / table.parts.length);
  let [low, high] = [0, runs.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (runs[middle][0] <= place) low = middle;
    else high = middle - 1;
  }
  const [start, first, stepFirst, last, stepLast] = runs[low];
  const cells = [first + (place - start) * stepFirst, last + (place - start) * stepLast];
  return cells[0] > cells[1] ? null : cells;
}

function fraction(text) {
  const [above, below] = text.split("/").map(Number);
  return above / (below || 1);
}

/**
 * What a unit sees along one axis of an input with `size` cells.
 *
 * cells: [first, last] of the input's own, null for none. hull: the same with the padding around the input.
 * before, after: cells of padding. exact: false where it may be less. known: false where it is too long to be in the page.
 */
function windowAlong(fields, axis, size, position) {
  let cells = null;
  let known = true;
  for (const [along, table] of axis.terms) {
    const found = table === null ? [0, size - 1] : cellsOf(fields.tables[table], along === null ? 0 : position[along] || 0);
    if (table === null) known = false;
    if (found) cells = cells ? [Math.min(cells[0], found[0]), Math.max(cells[1], found[1])] : found;
  }
  let [before, after] = [0, 0];
  if (axis.hull && cells) {
    const [jump, low, high] = axis.hull.map(fraction);
    const place = position[axis.terms[0][0]] || 0;
    // The hull of all ways may be wider than any of them: padding is told only where the unit does see the border.
    if (cells[0] === 0) before = Math.max(0, -Math.floor(place * jump + low));
    if (cells[1] === size - 1) after = Math.max(0, Math.ceil(place * jump + high) - size + 1);
  }
  const hull = cells && [before ? -before : cells[0], after ? size - 1 + after : cells[1]];
  return { cells, hull, before, after, exact: axis.exact && known, known };
}

/** The axis of the tensor along which the window moves; null where it stays. */
function driver(axis) {
  const moving = axis.terms.map(([along]) => along).filter((along) => along !== null);
  return moving.length ? moving[0] : null;
}

/** Middles of the windows of all units along the axis that moves it, the others at `position`. */
function middles(fields, axis, size, units, position) {
  const along = driver(axis);
  if (along === null) return [];
  const found = [];
  for (let unit = 0; unit < units; unit += 1) {
    const { hull } = windowAlong(fields, axis, size, { ...position, [along]: unit });
    found.push(hull ? (hull[0] + hull[1]) / 2 : null);
  }
  return found;
}

/** The unit whose window has its middle nearest to a cell; of equals the one in the middle. */
function unitAt(centres, cell) {
  let least = Infinity;
  let best = [];
  centres.forEach((centre, unit) => {
    if (centre === null) return;
    const distance = Math.abs(centre - cell);
    if (distance < least - 1e-9) [least, best] = [distance, [unit]];
    else if (distance < least + 1e-9) best.push(unit);
  });
  return best.length ? best[Math.floor((best.length - 1) / 2)] : 0;
}
