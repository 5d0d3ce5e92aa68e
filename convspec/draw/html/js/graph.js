// The wires cut at the borders of the groups that they cross, so that each group is laid out by itself.

/** Gives every frame `links`: [{from, to, key, text}] between its children, its entries (from = null) and exits (to = null). */
function cutWires(scene) {
  for (const item of scene.items.values()) if (item.kind === "frame") item.links = new Map();
  const said = new Set();
  for (const wire of scene.wires) {
    const up = chain(wire.from);
    const down = chain(wire.to);
    let level = 0;
    while (level < up.length && level < down.length && up[level] === down[level]) level += 1;
    const meeting = up[level - 1];
    // A tensor's shape is written once, at its first wire.
    const text = [...wire.texts].filter((each) => !said.has(`${wire.from.id} ${each}`)).join(", ");
    for (const each of wire.texts) said.add(`${wire.from.id} ${each}`);
    link(meeting, up[level], down[level], wire, text);
    for (let each = level + 1; each < up.length; each += 1) link(up[each - 1], up[each], null, wire, "");
    for (let each = level + 1; each < down.length; each += 1) link(down[each - 1], null, down[each], wire, "");
  }
}

/** The item with all frames around it, outermost first. */
function chain(item) {
  const found = [];
  for (let each = item; each; each = each.parent) found.unshift(each);
  return found;
}

function link(frame, from, to, wire, text) {
  const key = `${from ? from.id : ""} ${to ? to.id : ""} ${wire.from.id}`;
  const known = frame.links.get(key);
  if (!known) frame.links.set(key, { from, to, key: wire.from.id, text, ends: [[wire.from.id, wire.to.id]] });
  else {
    known.ends.push([wire.from.id, wire.to.id]);
    if (text && !known.text.split(", ").includes(text)) known.text = known.text ? `${known.text}, ${text}` : text;
  }
}
