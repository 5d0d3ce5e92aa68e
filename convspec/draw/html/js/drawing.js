// The picture: boxes, wires and their texts as SVG.

const ROW = 24;
const FONTS = { strong: "600 12.5px", plain: "400 12.5px", small: "400 11px", wire: "400 11px", badge: "600 11px" };
const FAMILY = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', Arial, sans-serif";
const MOST_TEXT = 44;
const measured = new Map();
const pencil = document.createElement("canvas").getContext("2d");

function textWidth(text, font) {
  const key = `${font} ${text}`;
  let width = measured.get(key);
  if (width === undefined) {
    pencil.font = `${FONTS[font]} ${FAMILY}`;
    width = pencil.measureText(text).width;
    measured.set(key, width);
  }
  return width;
}

function cut(text, most = MOST_TEXT) {
  const signs = [...text];
  return signs.length > most ? `${signs.slice(0, most - 1).join("")}…` : text;
}

/** A label that the author gave; not one that the op's name and a number make. */
function ownLabel(node) {
  const label = node.label || "";
  const plain = label.startsWith(node.op || "\0") && /^\d*(\.\d+)*$/.test(label.slice(node.op.length));
  return plain ? "" : cut(label, 28);
}

/** Gives every item its rows of text and its size; frames get the size of their head. */
function letter(scene) {
  for (const item of scene.items.values()) {
    if (item.kind === "frame") letterFrame(scene, item);
    else if (item.kind === "group") letterGroup(scene, item);
    else letterRows(scene, item);
  }
}

function letterFrame(scene, item) {
  const { group } = item;
  item.title = cut(titleOf(group), 34);
  item.note = cut([group.label !== group.title ? group.label : "", group.arguments].filter(Boolean).join(" · "), 52);
  item.badge = badgeOf(scene, item);
  item.headWidth = 34 + textWidth(item.title, "strong") + (item.note ? 10 + textWidth(item.note, "small") : 0) + badgeWidth(item) + 14;
}

function letterGroup(scene, item) {
  const { group } = item;
  item.title = cut(titleOf(group), 34);
  item.note = cut(group.arguments, MOST_TEXT);
  item.badge = badgeOf(scene, item);
  const label = group.label && group.label !== group.title ? `${cut(group.label, 28)} · ` : "";
  item.under = `${label}${plural(layersOf(scene.model, group).length, "layer")} · ${short(group.parameters)} params`;
  const first = 30 + textWidth(item.title, "strong") + badgeWidth(item);
  item.width = Math.max(150, 14 + Math.max(first, 30 + textWidth(item.under, "small"), item.note ? 30 + textWidth(item.note, "small") : 0));
  item.height = item.note ? 60 : 44;
}

function letterRows(scene, item) {
  item.rows = item.parts.map((node) => {
    if (node.kind !== "layer") return { node, name: cut(node.name), rest: "", label: node.text };
    return { node, name: node.op, rest: cut(node.arguments || ""), label: ownLabel(node) };
  });
  const widths = item.rows.map(({ name, rest, label }) =>
    textWidth(name, "strong") + (rest ? 6 + textWidth(rest, "plain") : 0) + (label ? 16 + textWidth(label, "small") : 0) + 24);
  item.width = Math.max(96, ...widths);
  item.height = ROW * item.rows.length + (item.kind === "layers" ? 2 : 4);
}

/** `×3` or `3 in parallel` on a stack, `2/3` on a member of one that stands one by one. */
function badgeOf(scene, item) {
  if (item.times > 1) return markOf(scene.model, item.id, item.times);
  const member = scene.model.members.get(item.id);
  return member ? `${member.index + 1}/${member.count}` : "";
}

function badgeWidth(item) {
  return item.badge ? 22 + textWidth(item.badge, "badge") : 0;
}

/** The scene as an SVG group. `costs` colours: {measure, most}. */
function draw(scene, costs) {
  const { root } = scene;
  const content = shape("g", { class: "network" });
  drawInside(content, root, costs, 1);
  return content;
}

function drawInside(parent, frame, costs, level) {
  const wires = shape("g", { class: "wires", "aria-hidden": "true" });
  const labels = shape("g", { class: "labels", "aria-hidden": "true" });
  for (const route of frame.routes) drawWire(wires, labels, route);
  parent.append(wires);
  for (const child of frame.children) {
    const box = shape("g", { class: `item ${child.kind}`, transform: `translate(${child.x} ${child.y})` });
    child.element = box;
    if (child.kind === "frame") {
      drawFrame(box, child, level);
      drawInside(box, child, costs, level + 1);
    } else if (child.kind === "group") drawGroup(box, child, costs, level);
    else drawRows(box, child, costs, level);
    parent.append(box);
  }
  parent.append(labels);
}

function drawWire(wires, labels, { link, points, label, lane, text }) {
  const toChild = link.to !== null;
  const path = shape("path", { d: lane === null ? curve(points, toChild) : lanePath(points, lane, link), class: "wire" });
  path.dataset.ends = link.ends.map((pair) => pair.join(" ")).join(";");
  if (toChild) path.setAttribute("marker-end", "url(#arrow)");
  wires.append(path);
  if (text && label) labels.append(shape("text", { class: "shape", x: label[0] + 6, y: label[1] + 4 }, text));
}

/** Through the points, leaving and entering each straight down. */
function curve(points, arrow) {
  const last = points.length - 1;
  let text = `M${points[0][0]} ${points[0][1]}`;
  for (let at = 1; at <= last; at += 1) {
    const [x0, y0] = points[at - 1];
    const [x1, y] = points[at];
    const y1 = at === last && arrow ? y - 5 : y;
    if (Math.abs(x0 - x1) < 0.5) text += `L${x1} ${y1}`;
    else text += `C${x0} ${(y0 + y1) / 2} ${x1} ${(y0 + y1) / 2} ${x1} ${y1}`;
  }
  return text;
}

/** From the right side of a box along a lane to the right side of another; from and to the borders of the group likewise. */
function lanePath(points, lane, link) {
  const [x0, y0] = link.from ? [link.from.x + link.from.width, link.from.y + link.from.height - 8] : points[0];
  const [x1, y1] = link.to ? [link.to.x + link.to.width + 5, link.to.y + 8] : points[points.length - 1];
  const bend = 5;
  return `M${x0} ${y0}H${lane - bend}q${bend} 0 ${bend} ${bend}V${y1 - bend}q0 ${bend} ${-bend} ${bend}H${x1}`;
}

function drawFrame(box, item, level) {
  box.append(shape("rect", { class: "frame-box", width: item.width, height: item.height, rx: 10 }));
  const head = handle(item, level, "frame-head", true);
  head.append(
    shape("rect", { class: "hit", width: item.width, height: HEAD - 4, rx: 10 }),
    shape("path", { class: "chevron", d: "M11 11l4.5 5 4.5-5" }),
    shape("text", { class: "strong", x: 27, y: 18 }, item.title),
  );
  if (item.note) head.append(shape("text", { class: "small", x: 37 + textWidth(item.title, "strong"), y: 18 }, item.note));
  box.append(head);
  drawBadge(box, item, HEAD / 2 - 1);
}

function drawGroup(box, item, costs, level) {
  for (let behind = Math.min(2, item.times - 1); behind > 0; behind -= 1) {
    box.append(shape("rect", { class: "sheet", x: 5 * behind, y: 5 * behind, width: item.width, height: item.height, rx: 8 }));
  }
  const head = handle(item, level, "group-box", false);
  head.append(
    shape("rect", { class: "fill", width: item.width, height: item.height, rx: 8 }),
    shape("path", { class: "chevron", d: "M13 10l5 4.5-5 4.5" }),
    shape("text", { class: "strong", x: 27, y: 19 }, item.title),
  );
  if (item.note) head.append(shape("text", { class: "small", x: 27, y: 35 }, item.note));
  head.append(shape("text", { class: "small", x: 27, y: item.height - 10 }, item.under));
  colour(head, item.group, item.times, costs);
  box.append(head);
  drawBadge(box, item, 15);
}

function drawBadge(box, item, y) {
  if (!item.badge) return;
  const width = 14 + textWidth(item.badge, "badge");
  const x = item.width - width - 8;
  const stacked = item.times > 1;
  const badge = shape("g", { class: "badge", "data-stack": item.id, transform: `translate(${x} ${y - 8})`, role: "button", "aria-hidden": "true" });
  badge.append(
    shape("title", {}, stacked ? `${item.times} that are alike; click to show one by one` : "click to show as one stack"),
    shape("rect", { width, height: 17, rx: 8.5 }),
    shape("text", { x: width / 2, y: 12.5, "text-anchor": "middle" }, item.badge),
  );
  box.append(badge);
}

function drawRows(box, item, costs, level) {
  const terminal = item.kind !== "layers";
  box.append(shape("rect", { class: "edge", width: item.width, height: item.height, rx: terminal ? item.height / 2 : 6 }));
  item.rows.forEach((row, at) => {
    const y = 1 + at * ROW;
    const handled = handle({ id: row.node.id, parts: [row.node], factor: item.factor }, level, terminal ? "end-row" : "row", null);
    handled.setAttribute("transform", `translate(1 ${y})`);
    handled.append(shape("path", { class: "fill", d: rounded(item.width - 2, terminal ? item.height - 2 : ROW, at === 0, at === item.rows.length - 1, terminal ? 13 : 5) }));
    const base = terminal ? 18 : 16.5;
    handled.append(shape("text", { class: "strong", x: 11, y: base }, row.name));
    if (row.rest) handled.append(shape("text", { class: "rest", x: 17 + textWidth(row.name, "strong"), y: base }, row.rest));
    if (row.label) handled.append(shape("text", { class: "small", x: item.width - 13, y: base, "text-anchor": "end" }, row.label));
    if (!terminal) colour(handled, row.node, 1, costs);
    box.append(handled);
  });
}

function rounded(width, height, top, bottom, radius) {
  const [t, b] = [top ? radius : 0, bottom ? radius : 0];
  return `M0 ${t}q0 ${-t} ${t} ${-t}H${width - t}q${t} 0 ${t} ${t}V${height - b}q0 ${b} ${-b} ${b}H${b}q${-b} 0 ${-b} ${-b}z`;
}

/** What can be reached by key and pointer. `open` is null for what does not fold. */
function handle(item, level, kind, open) {
  const node = item.parts[0];
  const attributes = { class: `node ${kind}`, "data-id": item.id, tabindex: "-1", role: "treeitem", "aria-level": level, "aria-selected": "false" };
  if (open !== null) attributes["aria-expanded"] = String(open);
  attributes["aria-label"] = spoken(node, item);
  return shape("g", attributes);
}

function spoken(node, item) {
  if (node.kind === "layer") return `${nameOf(node)}: ${node.text}, output ${node.outputs.map((type) => type.text).join(", ")}`;
  if (node.kind !== "group") return `${node.kind} ${node.name}: ${typeText(node)}`;
  const times = item.times > 1 ? `, ${item.times} times` : "";
  return `${[titleOf(node), node.path].filter(Boolean).join(" ")}${times}, ${short(node.parameters)} parameters`;
}

/** The step of a cost: 0 for none, else 1 to 8 in equal parts of the dearest. */
function stepOf(weight, most) {
  return weight > 0 && most > 0 ? Math.min(8, 1 + Math.floor((weight / most) * 8)) : 0;
}

function colour(element, node, times, costs) {
  const step = costs.measure === "none" ? 0 : stepOf(node.weights[costs.measure] * times, costs.most);
  element.classList.add(`step${step}`);
}

/** The dearest box or row that is seen. */
function dearest(scene, measure) {
  let most = 0;
  if (measure === "none") return 0;
  for (const item of scene.items.values()) {
    if (item.kind === "group") most = Math.max(most, item.group.weights[measure] * item.times);
    else if (item.kind === "layers") for (const node of item.parts) most = Math.max(most, node.weights[measure]);
  }
  return most;
}
