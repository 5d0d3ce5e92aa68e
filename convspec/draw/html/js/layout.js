// Places. Each open group is laid out by itself, inner ones first: a chain by hand, branches by dagre, and what is too dense for
// dagre (every layer reading all before it) as a column with lanes beside it. What was laid out once is kept.

const PAD = 14;
const HEAD = 30;
const GAP = 34; // between boxes, with room for a shape
const BESIDE = 26;
const LANE = 9;
const TOO_MANY = 250; // boxes in one group, for which dagre takes more than half a second
const TOO_DENSE = 900; // boxes that edges reach past, in all
const DENSE = 6; // and for each box
const laidOut = new Map();

/** Gives every item x, y (in its frame), width and height, and every frame `routes` and `ports`. */
function layOut(scene) {
  cutWires(scene);
  layFrame(scene.root, true);
}

function layFrame(frame, isRoot) {
  for (const child of frame.children) if (child.kind === "frame") layFrame(child, false);
  const plan = planOf(frame);
  const key = JSON.stringify([plan.sizes, plan.edges]);
  let places = laidOut.get(key);
  if (!places) {
    places = isChain(plan) ? layChain(plan) : isDense(plan) ? layLanes(plan) : layGraph(plan);
    if (laidOut.size > 4000) laidOut.clear();
    laidOut.set(key, places);
  }
  take(frame, plan, places, isRoot);
}

/** The inside of a frame as numbers: sizes of its children, then bars for what comes in and goes out, and the edges between. */
function planOf(frame) {
  const links = [...frame.links.values()];
  const index = new Map(frame.children.map((child, at) => [child, at]));
  const sizes = frame.children.map((child) => [Math.ceil(child.width), Math.ceil(child.height)]);
  const keys = (found) => [...new Set(found.map((each) => each.key))];
  const entries = keys(links.filter((each) => !each.from));
  const exits = keys(links.filter((each) => !each.to));
  const enter = entries.length ? sizes.push([LANE * 2 * entries.length, 1]) - 1 : -1;
  const leave = exits.length ? sizes.push([LANE * 2 * exits.length, 1]) - 1 : -1;
  const edges = new Map();
  for (const each of links) {
    const from = each.from ? index.get(each.from) : enter;
    const to = each.to ? index.get(each.to) : leave;
    const pair = `${from} ${to}`;
    const wide = each.text ? Math.ceil(textWidth(each.text, "wire")) + 12 : 0;
    if (!edges.has(pair)) edges.set(pair, [from, to, wide]);
    else edges.get(pair)[2] += wide;
    each.pair = pair;
  }
  return { links, sizes, entries, exits, enter, leave, edges: [...edges.values()] };
}

/** Whether every box has at most one before and one behind it, in the order of execution. */
function isChain({ edges, enter, leave, sizes }) {
  const order = chainOrder({ enter, leave, sizes });
  const place = new Map(order.map((node, at) => [node, at]));
  return edges.length === sizes.length - 1 && edges.every(([from, to]) => place.get(to) === place.get(from) + 1);
}

function chainOrder({ enter, leave, sizes }) {
  const inner = [...sizes.keys()].filter((node) => node !== enter && node !== leave);
  return [...(enter >= 0 ? [enter] : []), ...inner, ...(leave >= 0 ? [leave] : [])];
}

/** Whether so many edges reach far that only lanes show them. */
function isDense(plan) {
  const place = new Map(chainOrder(plan).map((node, at) => [node, at]));
  let sum = plan.sizes.length > TOO_MANY ? TOO_DENSE + 1 : 0;
  for (const [from, to] of plan.edges) sum += Math.max(0, Math.abs(place.get(to) - place.get(from)) - 1);
  return sum > TOO_DENSE || (sum > 100 && sum > DENSE * plan.sizes.length);
}

/** One below the other. Places are middles, routes are points between the borders of two boxes. */
function layChain(plan) {
  const { sizes } = plan;
  const widest = Math.max(0, ...sizes.map(([width]) => width), ...plan.edges.map(([, , wide]) => 2 * wide));
  const centres = [];
  let y = 0;
  const order = chainOrder(plan);
  for (const [at, node] of order.entries()) {
    centres[node] = [widest / 2, y + sizes[node][1] / 2];
    y += sizes[node][1] + (node === plan.enter ? 14 : order[at + 1] === plan.leave ? 16 : GAP);
  }
  const routes = new Map();
  for (const [from, to] of plan.edges) {
    const upper = centres[from][1] + sizes[from][1] / 2;
    const lower = centres[to][1] - sizes[to][1] / 2;
    routes.set(`${from} ${to}`, { points: [], label: [widest / 2, (upper + lower) / 2] });
  }
  return { centres, routes };
}

function layGraph(plan) {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ nodesep: BESIDE, ranksep: GAP + 6, edgesep: 14, marginx: 0, marginy: 0 });
  graph.setDefaultEdgeLabel(() => ({}));
  plan.sizes.forEach(([width, height], node) => graph.setNode(String(node), { width, height }));
  for (const [from, to, wide] of plan.edges) {
    const near = from === plan.enter || to === plan.leave;
    graph.setEdge(String(from), String(to), { width: wide, height: wide ? 12 : 0, labelpos: "r", labeloffset: 5, weight: near ? 2 : 1 });
  }
  dagre.layout(graph);
  const centres = plan.sizes.map((_, node) => [graph.node(String(node)).x, graph.node(String(node)).y]);
  const rows = new Map();
  plan.sizes.forEach(([, height], node) => rows.set(Math.round(centres[node][1]), Math.max(height, rows.get(Math.round(centres[node][1])) || 0)));
  const routes = new Map();
  for (const [from, to] of plan.edges) {
    const edge = graph.edge(String(from), String(to));
    const points = edge.points.slice(1, -1).flatMap(({ x, y }) => {
      const half = (rows.get(Math.round(y)) || 0) / 2;
      return half ? [[x, y - half], [x, y + half]] : [[x, y]];
    });
    const wide = edge.width || 0;
    routes.set(`${from} ${to}`, { points, label: edge.x === undefined ? null : [edge.x - wide / 2, edge.y] });
  }
  if (plan.enter >= 0) centres[plan.enter][1] += 12;
  if (plan.leave >= 0) centres[plan.leave][1] -= 16;
  return { centres, routes };
}

/** A column in the order of execution; what reaches past its neighbour goes by a lane at the right, one for each box it is from. */
function layLanes(plan) {
  const order = chainOrder(plan);
  const place = new Map(order.map((node, at) => [node, at]));
  const chainPlan = { ...plan, edges: plan.edges.filter(([from, to]) => place.get(to) === place.get(from) + 1) };
  const { centres, routes } = layChain(chainPlan);
  const right = Math.max(...plan.sizes.map(([width], node) => centres[node][0] + width / 2), 0) + 14;
  const reach = new Map();
  for (const [from, to] of plan.edges) reach.set(from, Math.max(reach.get(from) || 0, place.get(to)));
  const free = [];
  const lanes = new Map();
  for (const node of order) {
    if (!(reach.get(node) > place.get(node) + 1)) continue;
    let lane = free.findIndex((end) => end <= place.get(node));
    if (lane < 0) lane = free.length;
    free[lane] = reach.get(node);
    lanes.set(node, right + lane * LANE);
  }
  for (const [from, to] of plan.edges) {
    if (place.get(to) !== place.get(from) + 1) routes.set(`${from} ${to}`, { lane: lanes.get(from), points: [], label: null });
  }
  return { centres, routes, width: right + free.length * LANE };
}

/** Puts the places into the frame's own coordinates: (0, 0) is its upper left corner. */
function take(frame, plan, { centres, routes, width }, isRoot) {
  const inner = centres.map(([x, y], node) => [x - plan.sizes[node][0] / 2, y - plan.sizes[node][1] / 2, ...plan.sizes[node]]);
  let left = Math.min(0, ...inner.map(([x]) => x));
  let right = Math.max(width || 0, ...inner.map(([x, , wide]) => x + wide));
  for (const link of plan.links) {
    const route = routes.get(link.pair);
    if (link.text && route.label) right = Math.max(right, route.label[0] + textWidth(link.text, "wire") + 10);
    for (const [x] of route.points) [left, right] = [Math.min(left, x - 4), Math.max(right, x + 4)];
  }
  const pad = isRoot ? 0 : PAD;
  const need = isRoot ? 0 : frame.headWidth;
  const spare = Math.max(0, need - (right - left + 2 * pad)) / 2;
  const dx = pad + spare - left;
  const top = plan.enter >= 0 ? inner[plan.enter][1] : Math.min(0, ...inner.map(([, y]) => y));
  const dy = isRoot ? -top : HEAD - 2 - top + (plan.enter >= 0 ? 0 : 8);
  frame.children.forEach((child, node) => Object.assign(child, { x: inner[node][0] + dx, y: inner[node][1] + dy }));
  const bottom = Math.max(0, ...inner.map(([, y, , high]) => y + high));
  frame.width = right - left + 2 * (pad + spare);
  frame.height = (plan.leave >= 0 ? inner[plan.leave][1] + 1 : bottom) + dy + (isRoot ? 0 : plan.leave >= 0 ? 0 : PAD);
  frame.ports = ports(frame, plan);
  frame.routes = plan.links.map((link) => routed(frame, link, routes.get(link.pair), dx, dy));
  labelled(frame.routes);
}

/**
 * Where tensors cross the upper and the lower border: x by the tensor, in the order of where they go to. They stand in the
 * middle, so that groups below each other are joined by straight wires.
 */
function ports(frame, plan) {
  const found = { in: new Map(), out: new Map() };
  const spread = (keys, side, other) => {
    const goal = (key) => {
      const ends = plan.links.filter((link) => link.key === key && !link[other === "to" ? "from" : "to"]).map((link) => link[other]);
      return ends.reduce((sum, child) => sum + child.x + child.width / 2, 0) / ends.length;
    };
    const sorted = keys.map((key) => [key, goal(key)]).sort((a, b) => a[1] - b[1]);
    sorted.forEach(([key], at) => found[side].set(key, frame.width / 2 + (at - (sorted.length - 1) / 2) * LANE * 2));
  };
  if (plan.enter >= 0) spread(plan.entries, "in", "to");
  if (plan.leave >= 0) spread(plan.exits, "out", "from");
  return found;
}

/** A wire's points from border to border, in the frame's coordinates. */
function routed(frame, link, route, dx, dy) {
  const points = route.points.map(([x, y]) => [x + dx, y + dy]);
  const start = link.from ? [attach(link.from, "out", link.key, points[0], link.to), link.from.y + link.from.height] : [frame.ports.in.get(link.key), HEAD - 2];
  const end = link.to ? [attach(link.to, "in", link.key, points[points.length - 1] || start, null), link.to.y] : [frame.ports.out.get(link.key), frame.height];
  const label = route.label && [route.label[0] + dx, route.label[1] + dy];
  const lane = route.lane === undefined ? null : route.lane + dx;
  return { link, points: [start, ...points, end], label, lane };
}

/** Wires beside each other between the same two boxes: their shapes stand together, right of all of them. */
function labelled(routes) {
  const first = new Map();
  for (const route of routes) {
    const known = first.get(route.link.pair);
    route.text = route.link.text;
    if (!known) first.set(route.link.pair, route);
    else {
      known.text = [...new Set([known.text, route.text].filter(Boolean).flatMap((text) => text.split(", ")))].join(", ");
      route.text = "";
      if (known.label) known.label[0] = Math.max(known.label[0], ...route.points.slice(-1).map(([x]) => x));
    }
  }
}

/** Where a wire touches a child: a group at its port, a box straight below or above where the wire comes from. */
function attach(child, side, key, toward, other) {
  const port = child.kind === "frame" && child.ports[side].get(key);
  if (port !== undefined && port !== false) return child.x + port;
  const middle = child.x + child.width / 2;
  const wanted = toward ? toward[0] : other ? other.x + other.width / 2 : middle;
  const room = Math.max(0, child.width / 2 - 16);
  return Math.abs(wanted - middle) < 1.5 ? middle : middle + Math.max(-room, Math.min(room, (wanted - middle) * (side === "out" ? 0.35 : 1)));
}
