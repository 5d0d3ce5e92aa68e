// The author's text, lightly coloured, with the lines of what was clicked.

const TOKENS = new RegExp(
  [
    String.raw`(?<comment>#.*)`,
    String.raw`(?<string>"(?:[^"\\\n]|\\.)*"?)`,
    String.raw`(?<number>\b\d[\w.]*\b)`,
    String.raw`(?<keyword>\b(?:model|block|layer|let|use|from|input|output|return|for|in|if|then|else|and|or|not|default|assert|as|language|true|false)\b)`,
    String.raw`(?<type>\b(?:float16|float32|float64|bfloat16|int8|int16|int32|int64|uint8|bool|tensor|int|float|string|list|size|stage)\b)`,
    String.raw`(?<arrow>->)`,
    String.raw`(?<call>\b[A-Za-z_]\w*(?=\s*\())`,
  ].join("|"),
  "gu",
);
const AROUND = 120; // lines shown before and after, in a long file

function colouredLine(text) {
  const parts = [];
  let at = 0;
  for (const match of text.matchAll(TOKENS)) {
    if (match.index > at) parts.push(text.slice(at, match.index));
    const kind = Object.keys(match.groups).find((name) => match.groups[name] !== undefined);
    parts.push(el("span", { class: `t-${kind}` }, match[0]));
    at = match.index + match[0].length;
  }
  parts.push(text.slice(at));
  return parts;
}

/** The pane of a file with the lines of `place` marked; the first of them is scrolled to. */
function sourcePane(data, place) {
  const file = data.files[place.file];
  const lines = file.text.split(/\r\n|\n|\r/);
  const first = Math.max(1, place.line - AROUND);
  const last = Math.min(lines.length, place.end_line + AROUND);
  const until = place.end_column === 1 && place.end_line > place.line ? place.end_line - 1 : place.end_line;
  const list = el("ol", { class: "code", start: first });
  for (let number = first; number <= last; number += 1) {
    const marked = number >= place.line && number <= until;
    const code = el("code", {}, ...colouredLine(lines[number - 1]));
    list.append(el("li", { class: marked ? "marked" : null, "data-line": number, "aria-current": marked && number === place.line ? "true" : null },
      el("span", { class: "line-number", "aria-hidden": "true" }, number), code));
  }
  const box = el("div", { class: "source", tabindex: "0", role: "group", "aria-label": `${file.name}, line ${place.line}` }, list);
  const show = () => {
    const line = list.querySelector(".marked");
    if (line) box.scrollTop = line.offsetTop - list.offsetTop - box.clientHeight / 2 + 20;
  };
  return { box, show, title: `${file.name}:${place.line}` };
}

/** The uses of blocks that led to a node, outermost first: buttons that show their lines. */
function chainButtons(app, node, chosen, choose) {
  const steps = [...around(app.model, node.id), node].filter((each) => each.source);
  if (steps.length < 2) return null;
  return el("ol", { class: "chain", "aria-label": "how it came here" }, ...steps.map((step) =>
    el("li", {}, el("button", { type: "button", "aria-pressed": String(step === chosen), on: { click: () => choose(step) } },
      el("b", {}, titleOf(step)), step.label && step.label !== titleOf(step) ? ` ${step.label}` : "", el("span", { class: "where" }, ` line ${step.source.line}`)))));
}
