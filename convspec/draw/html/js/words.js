// Numbers and shapes as short text. Sizes that are left open come as text and stay so.

const COUNTS = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];
const BYTES = [[2 ** 40, "TiB"], [2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"]];

function digits(number) {
  const text = number.toFixed(number < 9.995 ? 2 : number < 99.95 ? 1 : 0);
  return text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text;
}

function scaled(number, units, space) {
  for (const [unit, letter] of units) if (Math.abs(number) >= unit * 0.9995) return digits(number / unit) + space + letter;
  return Number.isInteger(number) ? String(number) : digits(number);
}

/** `25.6M`; numbers inside an expression are shortened too. */
function short(value) {
  if (typeof value === "number") return scaled(value, COUNTS, "");
  if (value === null || value === undefined) return "–";
  const text = value.replace(/(?<![\w.])\d{4,}(?!\w)/g, (found) => scaled(Number(found), COUNTS, ""));
  return text.replace(/\*/g, "·");
}

function shortBytes(value) {
  if (typeof value !== "number") return value === null || value === undefined ? "–" : `${exact(value)} B`;
  return value >= 1024 ? scaled(value, BYTES, " ") : `${value} B`;
}

/** `25,557,032`. */
function exact(value) {
  if (typeof value === "number") return value.toLocaleString("en");
  return value === null || value === undefined ? "–" : value.replace(/(?<![\w.])\d{5,}(?!\w)/g, (d) => BigInt(d).toLocaleString("en")).replace(/\*/g, "·");
}

function share(part, whole) {
  if (!(whole > 0)) return "–";
  const percent = (100 * part) / whole;
  return percent === 0 ? "0 %" : percent < 0.1 ? "< 0.1 %" : `${percent.toFixed(percent < 10 ? 1 : 0)} %`;
}

/** `float32[N, 64, 56, 56]`. */
function typeText(type) {
  return `${type.dtype}[${type.shape.join(", ")}]`;
}

/** `427×427`, `all` for a whole axis, `–` where there is no space. */
function fieldText(fields) {
  if (!fields.length) return "–";
  if (fields.every((field) => field === null)) return "all";
  return fields.map((field) => (field ? field.size : "all")).join("×");
}

function plural(count, word) {
  return `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
}

/** Names of the axes of space: x last. */
function axisNames(count) {
  return count === 1 ? ["x"] : count === 2 ? ["y", "x"] : count === 3 ? ["z", "y", "x"] : [...Array(count).keys()].map((axis) => `axis ${axis}`);
}
