// What the address remembers behind its #: what is open and chosen, so that a link shows the same.

function remembered(app) {
  const { state, model } = app;
  const parts = new URLSearchParams();
  const whole = [...Array(app.levels + 1).keys()].find((depth) => same(openTo(model.root, depth), state.open));
  if (whole !== undefined) {
    if (whole !== app.firstDepth) parts.set("depth", whole);
  } else parts.set("open", [...state.open].join(" "));
  if (!same(state.unrolled, app.first.unrolled)) parts.set("unrolled", [...state.unrolled].join(" "));
  if (app.selected) parts.set("at", app.selected);
  if (app.unit && app.selected) parts.set("unit", app.unit.join(" "));
  if (app.measure !== app.first.measure) parts.set("colour", app.measure);
  if (app.table) parts.set("view", "table");
  return parts.toString();
}

function same(a, b) {
  return a.size === b.size && [...a].every((each) => b.has(each));
}

/** Writes the address a moment later: browsers allow few changes of it in a row. */
function remember(app) {
  clearTimeout(app.remembering);
  app.remembering = setTimeout(() => {
    const text = remembered(app);
    try {
      history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
    } catch {
      // A page in a frame may have no address of its own.
    }
  }, 150);
}

/** Takes what the address says; names that the network does not have are passed over. */
function recall(app) {
  const parts = new URLSearchParams(location.hash.slice(1));
  const groups = (name) => (parts.get(name) || "").split(" ").filter((id) => (app.model.nodes.get(id) || {}).kind === "group");
  const depth = Number.parseInt(parts.get("depth"), 10);
  if (Number.isInteger(depth) && depth >= 0) app.state.open = openTo(app.model.root, depth);
  if (parts.has("open")) app.state.open = new Set(groups("open"));
  if (parts.has("unrolled")) app.state.unrolled = new Set(groups("unrolled"));
  if (["macs", "params", "memory", "none"].includes(parts.get("colour"))) app.measure = parts.get("colour");
  app.table = parts.get("view") === "table";
  const at = parts.get("at");
  if (app.model.nodes.has(at)) app.selected = at;
  const unit = (parts.get("unit") || "").split(" ").map(Number);
  app.unit = parts.has("unit") && unit.every((each) => Number.isInteger(each) && each >= 0) ? unit : null;
}
