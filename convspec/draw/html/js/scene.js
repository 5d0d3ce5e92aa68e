// What can be seen: groups open or folded, layers in columns, repeats as stacks, and the wires between them.

/** The tree of items for the groups in `state.open`; stacks in `state.unrolled` (by their first member) stand one by one. */
function watch(model, state) {
  const scene = { model, root: null, items: new Map(), shown: new Map(), turns: new Map(), wires: [] };
  scene.root = frameItem(scene, state, model.root, 1, 1, null);
  const ends = (nodes, kind) => nodes.map((node) => addItem(scene, { id: node.id, kind, parts: [node], times: 1, factor: 1 }, scene.root));
  scene.root.children = [...ends(model.data.inputs, "input"), ...scene.root.children, ...ends(model.data.outputs, "output")];
  scene.wires = wiresOf(scene);
  return scene;
}

function addItem(scene, item, parent) {
  item.parent = parent;
  item.depth = parent ? parent.depth + 1 : 0;
  scene.items.set(item.id, item);
  for (const part of item.parts) scene.shown.set(part.id, item);
  return item;
}

function frameItem(scene, state, group, times, factor, parent) {
  const frame = addItem(scene, { id: group.id, kind: "frame", parts: [group], group, times, factor, children: [] }, parent);
  const counts = new Map(group.stacks.map(({ first, count }) => [first, count]));
  for (let at = 0; at < group.children.length; ) {
    const child = group.children[at];
    let count = counts.get(at) || 1;
    if (child.kind === "layer") layerItem(scene, frame, child, factor);
    else {
      if (state.unrolled.has(child.id)) {
        for (let index = 0; index < count; index += 1) groupItem(scene, state, group.children[at + index], 1, factor, frame);
      } else {
        groupItem(scene, state, child, count, factor * count, frame);
        if (count > 1) standIn(scene, group.children.slice(at, at + count));
      }
    }
    at += count;
  }
  return frame;
}

function groupItem(scene, state, group, times, factor, frame) {
  if (state.open.has(group.id)) {
    frame.children.push(frameItem(scene, state, group, times, factor, frame));
    return;
  }
  const item = addItem(scene, { id: group.id, kind: "group", parts: [group], group, times, factor }, frame);
  for (const layer of layersOf(scene.model, group)) scene.shown.set(layer.id, item);
  frame.children.push(item);
}

function layerItem(scene, frame, layer, factor) {
  const last = frame.children[frame.children.length - 1];
  if (last && last.kind === "layers" && follows(scene.model, last.parts[last.parts.length - 1], layer)) {
    last.parts.push(layer);
    scene.shown.set(layer.id, last);
  } else {
    frame.children.push(addItem(scene, { id: layer.id, kind: "layers", parts: [layer], times: 1, factor }, frame));
  }
}

/** Whether a layer stands in the box of the one before it: batch norm, activation, dropout that nothing comes between. */
function follows(model, before, layer) {
  const into = model.incoming.get(layer.id) || [];
  const from = model.outgoing.get(before.id) || [];
  return (
    into.length === 1 && from.length === 1 && into[0].from === before.id && layer.outputs.length === 1 && layer.inputs.length === 1 &&
    layer.weights.macs === 0 && before.outputs.length === 1 && !model.sliding.has(layer.id) &&
    String(layer.outputs[0].shape) === String(layer.inputs[0].shape)
  );
}

/** The first member of a stack stands for the others, layer by layer. */
function standIn(scene, members) {
  const stands = layersOf(scene.model, members[0]);
  members.forEach((member, index) => {
    layersOf(scene.model, member).forEach((layer, place) => {
      const stand = stands[place];
      scene.shown.set(layer.id, scene.shown.get(stand.id));
      scene.turns.set(layer.id, new Map(scene.turns.get(stand.id)).set(members[0].id, index));
    });
    if (index) scene.shown.set(member.id, scene.shown.get(members[0].id));
  });
}

/** Whether an edge goes from one member of a stack to the next, or is one that the first member shows already. */
function hidden(scene, edge) {
  const from = scene.turns.get(edge.from);
  const to = scene.turns.get(edge.to);
  if (!from || !to) return false;
  for (const [stack, index] of from) if (to.has(stack) && (index || to.get(stack))) return true;
  return false;
}

/** Edges between items, each pair of items once, with the shapes that flow there. */
function wiresOf(scene) {
  const wires = new Map();
  for (const edge of scene.model.edges) {
    const from = scene.shown.get(edge.from);
    const to = scene.shown.get(edge.to);
    if (!from || !to || from === to || hidden(scene, edge)) continue;
    const key = `${from.id} ${to.id}`;
    if (!wires.has(key)) wires.set(key, { from, to, texts: new Set() });
    wires.get(key).texts.add(edge.text);
  }
  return [...wires.values()];
}
