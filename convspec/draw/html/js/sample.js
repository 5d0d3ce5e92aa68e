// A picture to look at through a window, painted here: hills in the sun for two axes, a signal for one.

const paintings = new Map();

/** A canvas of at most 400 by 400 points with a landscape of the given shape. */
function landscape(columns, rows) {
  const scale = Math.min(1, 400 / Math.max(columns, rows));
  const [width, height] = [Math.max(1, Math.round(columns * scale)), Math.max(1, Math.round(rows * scale))];
  const key = `${width} ${height}`;
  if (paintings.has(key)) return paintings.get(key);
  const canvas = el("canvas", { width, height });
  const paint = canvas.getContext("2d");
  paint.scale(width, height);
  const sky = paint.createLinearGradient(0, 0, 0, 0.75);
  sky.addColorStop(0, "#5d9fd6");
  sky.addColorStop(1, "#f6dcb4");
  paint.fillStyle = sky;
  paint.fillRect(0, 0, 1, 1);
  disc(paint, 0.74, 0.27, 0.085, "#ffe9a0");
  for (const [x, y, r] of [[0.2, 0.2, 0.06], [0.27, 0.17, 0.075], [0.35, 0.21, 0.055]]) disc(paint, x, y, r, "rgba(255,255,255,.85)");
  hill(paint, 0.56, 0.1, 1.1, 0.3, "#7f9bb0");
  hill(paint, 0.66, 0.07, 1.6, 2.1, "#5f8f6d");
  hill(paint, 0.8, 0.05, 2.2, 0.6, "#3f7350");
  house(paint);
  for (const [x, y, s] of [[0.15, 0.83, 1], [0.25, 0.87, 1.25], [0.86, 0.86, 1.4]]) tree(paint, x, y, s);
  paintings.set(key, canvas);
  return canvas;
}

function disc(paint, x, y, radius, colour) {
  paint.fillStyle = colour;
  paint.beginPath();
  paint.arc(x, y, radius, 0, 7);
  paint.fill();
}

function hill(paint, level, swing, waves, phase, colour) {
  paint.fillStyle = colour;
  paint.beginPath();
  paint.moveTo(0, 1);
  for (let x = 0; x <= 1.001; x += 0.01) paint.lineTo(x, level + swing * Math.sin(waves * 6.283 * x + phase));
  paint.lineTo(1, 1);
  paint.fill();
}

function house(paint) {
  paint.fillStyle = "#e9d9c2";
  paint.fillRect(0.46, 0.68, 0.2, 0.16);
  polygon(paint, [[0.43, 0.69], [0.56, 0.55], [0.69, 0.69]], "#a8442f");
  paint.fillStyle = "#5b4636";
  paint.fillRect(0.54, 0.75, 0.045, 0.09);
  paint.fillStyle = "#9fc6e6";
  paint.fillRect(0.485, 0.72, 0.04, 0.04);
  paint.fillRect(0.6, 0.72, 0.04, 0.04);
}

function tree(paint, x, y, size) {
  paint.fillStyle = "#5b4636";
  paint.fillRect(x - 0.007 * size, y - 0.02, 0.014 * size, 0.06 * size);
  for (const step of [0, 1, 2]) {
    const top = y - (0.14 - 0.035 * step) * size;
    const half = (0.025 + 0.014 * step) * size;
    polygon(paint, [[x - half, top + 0.07 * size], [x, top], [x + half, top + 0.07 * size]], "#24583a");
  }
}

function polygon(paint, points, colour) {
  paint.fillStyle = colour;
  paint.beginPath();
  points.forEach(([x, y], at) => (at ? paint.lineTo(x, y) : paint.moveTo(x, y)));
  paint.fill();
}

/** The path of a signal of `width` by `height` points. */
function signal(width, height) {
  let text = "";
  for (let x = 0; x <= width; x += 1.5) {
    const t = x / width;
    const y = 0.5 + 0.22 * Math.sin(31 * t + 3 * Math.sin(5 * t)) * (0.45 + 0.55 * Math.sin(9 * t) ** 2) + 0.13 * Math.sin(90 * t) * Math.sin(4 * t);
    text += `${x ? "L" : "M"}${x.toFixed(1)} ${(y * height).toFixed(1)}`;
  }
  return text;
}
