// Which cells of the input a unit depends on. Tables come with the page: for each input that a layer sees and each axis, runs
// of units whose first and last cell move by equal steps.

/** [first, last] cells of the input itself; null where the unit sees none of it. */
function cellsOf(table, unit) {
  let [low, high] = [0, table.runs.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (table.runs[middle][0] <= unit) low = middle;
    else high = middle - 1;
  }
  const [start, first, stepFirst, last, stepLast] = table.runs[low];
  const cells = [first + (unit - start) * stepFirst, last + (unit - start) * stepLast];
  return cells[0] > cells[1] ? null : cells;
}

/** `[jump, low, high]` of the receptive field as numbers, where it has them. */
function hullOf(axis, unit) {
  if (!axis.hull) return null;
  const [jump, low, high] = axis.hull.map(fraction);
  return [unit * jump + low, unit * jump + high];
}

function fraction(text) {
  const [above, below] = String(text).split("/").map(Number);
  return above / (below || 1);
}

/**
 * What unit `unit` sees along one axis of an input of `size` cells:
 * {cells: [first, last] or null, hull: [low, high] with the padding, before, after: cells of padding, exact}.
 */
function windowAlong(fields, axis, size, unit) {
  const table = axis.table === null || axis.table === undefined ? null : fields.tables[axis.table];
  const hull = hullOf(axis, unit);
  const cells = table ? cellsOf(table, unit) : [0, size - 1];
  const whole = hull && hull.every(Number.isInteger) ? hull : cells;
  return {
    cells,
    hull: whole,
    before: whole ? Math.max(0, Math.min(size, -whole[0], whole[1] - whole[0] + 1) && -whole[0]) : 0,
    after: whole ? Math.max(0, whole[1] - size + 1) : 0,
    exact: table !== null,
  };
}

/** The unit whose window has its middle nearest to a cell. */
function unitAt(fields, axis, size, units, cell) {
  let [best, least] = [0, Infinity];
  for (let unit = 0; unit < units; unit += 1) {
    const { hull, cells } = windowAlong(fields, axis, size, unit);
    const seen = hull || cells;
    if (!seen) continue;
    const distance = Math.abs((seen[0] + seen[1]) / 2 - cell);
    if (distance < least) [best, least] = [unit, distance];
  }
  return best;
}
