// The network as it came, with what is looked up in it.

function makeModel(data) {
  const model = {
    data,
    root: data.root,
    nodes: new Map(), // id → group, layer, input or output
    parents: new Map(), // id → the group around it
    layers: [],
    groups: [],
    sliding: new Set(data.sliding), // layers that look around, which stand in boxes of their own
    members: new Map(), // id of a group in a stack → {first, index, count, parallel}
    ranges: new Map(), // id of a group → [index of its first layer, index behind its last]
    incoming: new Map(),
    outgoing: new Map(),
  };
  for (const end of data.inputs) model.nodes.set(end.id, Object.assign(end, { kind: "input" }));
  for (const end of data.outputs) model.nodes.set(end.id, Object.assign(end, { kind: "output" }));
  walk(model, data.root);
  // A learned constant that only hangs on a tensor reads nothing of it.
  model.edges = data.edges.filter((edge) => !edge.anchor);
  for (const edge of model.edges) {
    listed(model.outgoing, edge.from).push(edge);
    listed(model.incoming, edge.to).push(edge);
  }
  return model;
}

function listed(map, key) {
  if (!map.has(key)) map.set(key, []);
  return map.get(key);
}

function walk(model, group) {
  model.nodes.set(group.id, group);
  model.groups.push(group);
  const begin = model.layers.length;
  for (const child of group.children) {
    model.parents.set(child.id, group);
    if (child.kind === "group") walk(model, child);
    else {
      model.nodes.set(child.id, child);
      model.layers.push(child);
    }
  }
  model.ranges.set(group.id, [begin, model.layers.length]);
  for (const { first, count, parallel } of group.stacks) {
    for (let index = 0; index < count; index += 1) {
      model.members.set(group.children[first + index].id, { first: group.children[first].id, index, count, parallel });
    }
  }
}

/** What says how many there are: `×3`, `3 in parallel`. */
function markOf(model, id, times) {
  return model.members.get(id)?.parallel ? `${times} in parallel` : `×${times}`;
}

function layersOf(model, group) {
  return model.layers.slice(...model.ranges.get(group.id));
}

/** The groups around a node, outermost first, without the network itself. */
function around(model, id) {
  const found = [];
  for (let each = model.parents.get(id); each && each !== model.root; each = model.parents.get(each.id)) found.unshift(each);
  return found;
}

/** The turn of a loop that holds groups opens with what is around it. */
function passing(group) {
  return group.what === "turn" && group.children.some((child) => child.kind === "group");
}

function levels(group) {
  let deepest = 0;
  for (const child of group.children) {
    if (child.kind === "group") deepest = Math.max(deepest, levels(child) + (passing(child) ? 0 : 1));
  }
  return deepest;
}

/** The groups that are open when `depth` levels are. */
function openTo(root, depth) {
  const open = new Set();
  const visit = (group, level) => {
    for (const child of group.children) {
      if (child.kind !== "group") continue;
      const free = passing(child);
      if (level < depth || free) {
        open.add(child.id);
        visit(child, level + (free ? 0 : 1));
      }
    }
  };
  visit(root, 0);
  return open;
}

/** What a group is called: `Bottleneck`, `layer1`, `i = 2`. */
function titleOf(node) {
  if (node.kind === "group") return node.title || node.label || node.what;
  return node.kind === "layer" ? node.op : node.name;
}

/** Its label, or path where the label says nothing. */
function nameOf(node) {
  if (node.kind === "input" || node.kind === "output") return node.name;
  return node.path || node.label || titleOf(node);
}

function outputText(model, node) {
  if (node.kind === "layer") return node.outputs.map((type) => type.text).join(", ");
  if (node.kind !== "group") return node.text;
  return [...new Set(leaving(model, node).map((edge) => edge.text))].join(", ");
}

/** The edges that leave a group. */
function leaving(model, group) {
  const [begin, end] = model.ranges.get(group.id);
  const inside = new Set(model.layers.slice(begin, end).map((layer) => layer.id));
  const found = [];
  for (const id of inside) for (const edge of model.outgoing.get(id) || []) if (!inside.has(edge.to)) found.push(edge);
  return found;
}
