// The page: what is open, chosen and coloured, and what happens on clicks and keys.

const FIRST_BOXES = 42;

function start() {
  performance.mark("convspec-start");
  const data = JSON.parse(byId("data").textContent);
  const model = makeModel(data);
  const app = { model, state: { open: new Set(), unrolled: new Set() }, selected: null, unit: null, measure: data.view.colour, table: false, scene: null, levels: levels(model.root) };
  app.first = { measure: app.measure, unrolled: data.view.unroll ? new Set([...model.members.values()].map(({ first }) => first)) : new Set() };
  app.state.unrolled = new Set(app.first.unrolled);
  app.firstDepth = data.view.depth === null ? readableDepth(app) : Math.min(data.view.depth, app.levels);
  app.state.open = openTo(model.root, app.firstDepth);
  recall(app);
  app.view = makeViewport(byId("canvas"), byId("stage"));
  commands(app);
  totals(app);
  controls(app);
  pointer(app);
  keys(app);
  startSearch(app);
  refresh(app);
  showView(app);
  fit(app.view, true);
  app.select(app.selected, { quiet: true });
  if (app.selected) app.reveal(app.selected);
  printing(app);
  performance.mark("convspec-ready");
  performance.measure("convspec", "convspec-start", "convspec-ready");
  requestAnimationFrame(() => requestAnimationFrame(() => {
    performance.mark("convspec-painted");
    document.documentElement.dataset.ready = "true";
  }));
}

/** As many levels as leave a picture that can be taken in. */
function readableDepth(app) {
  let best = 0;
  for (let depth = 1; depth <= app.levels; depth += 1) {
    const scene = watch(app.model, { open: openTo(app.model.root, depth), unrolled: app.state.unrolled });
    if ([...scene.items.values()].filter((item) => item.kind !== "frame").length > FIRST_BOXES) break;
    best = depth;
  }
  return best;
}

/** Draws what is open. With `hold`, the box of that id stays where it is on the screen. */
function refresh(app, hold) {
  const before = hold && app.scene && app.scene.items.get(hold);
  const was = before && placeOf(before);
  app.scene = watch(app.model, app.state);
  letter(app.scene);
  layOut(app.scene);
  const most = dearest(app.scene, app.measure);
  const content = draw(app.scene, { measure: app.measure, most });
  app.view.scene = app.scene;
  for (const item of app.scene.items.values()) item.veiled = false;
  veil(app.view); // before it is on the page: what is left out is not laid out
  byId("stage").replaceChildren(content);
  app.view.apply();
  app.view.width = app.scene.root.width;
  app.view.height = app.scene.root.height;
  const item = was && app.scene.items.get(hold);
  if (item) {
    const now = placeOf(item);
    app.view.pan((was.x - now.x) * app.view.k, (was.y - now.y) * app.view.k);
  }
  legend(app, most);
  if (app.table) showOutline(app);
  mark(app);
  byId("depth").textContent = depthText(app);
  if (app.view) remember(app);
}

function depthText(app) {
  const depth = [...Array(app.levels + 1).keys()].find((each) => same(openTo(app.model.root, each), app.state.open));
  return depth === undefined ? "some" : `${depth} of ${app.levels}`;
}

/** The element that stands for a node, or for the folded group that it is in. */
function elementOf(app, id) {
  const stage = byId("stage");
  const direct = stage.querySelector(`[data-id="${CSS.escape(id)}"]`);
  if (direct) return direct;
  const item = app.scene.shown.get(id);
  return item ? stage.querySelector(`[data-id="${CSS.escape(item.id)}"]`) : null;
}

/** Marks what is chosen, and its wires. */
function mark(app) {
  const stage = byId("stage");
  for (const each of stage.querySelectorAll(".chosen")) each.classList.remove("chosen");
  for (const each of stage.querySelectorAll("[aria-selected=true]")) each.setAttribute("aria-selected", "false");
  for (const row of byId("outline").querySelectorAll("tr[data-id]")) row.setAttribute("aria-selected", String(row.dataset.id === app.selected));
  const chosen = app.selected && elementOf(app, app.selected);
  if (chosen) {
    chosen.classList.add("chosen");
    chosen.setAttribute("aria-selected", "true");
    const item = app.scene.shown.get(app.selected);
    for (const wire of stage.querySelectorAll(".wire")) {
      if (item && wire.dataset.ends.split(";").some((pair) => pair.split(" ").includes(item.id))) wire.classList.add("chosen");
    }
  }
  rove(app, chosen);
}

/** One box at a time is reached by Tab: the one chosen, else the first. */
function rove(app, element) {
  const stage = byId("stage");
  for (const each of stage.querySelectorAll("[tabindex='0']")) each.setAttribute("tabindex", "-1");
  const one = element || stage.querySelector(".node");
  if (one) one.setAttribute("tabindex", "0");
}

/** In a narrow window what is told of a layer takes the lower half: the layer itself moves out from under it. */
function keepInSight(app, id) {
  const before = app.view.box.height;
  app.view.measure();
  const item = app.view.box.height < before && (app.scene.items.get(id) || app.scene.shown.get(id));
  if (!item) return;
  const place = placeOf(item);
  bring(app.view, { ...place, height: Math.min(place.height, 60) }, false);
}

function commands(app) {
  app.select = (id, { quiet } = {}) => {
    if (id !== app.selected) app.unit = null;
    app.selected = id;
    const node = id ? app.model.nodes.get(id) : null;
    showDetails(app, node);
    const opens = Boolean(node) && !document.body.classList.contains("chosen-one");
    document.body.classList.toggle("chosen-one", Boolean(node));
    if (opens) keepInSight(app, id);
    mark(app);
    remember(app);
    if (node && !quiet) announce(`${nameOf(node)} chosen`);
  };
  app.choose = (id, show) => {
    app.select(id);
    if (show) app.reveal(id);
  };
  app.toggle = (id) => {
    const { open } = app.state;
    if (open.has(id)) open.delete(id);
    else {
      open.add(id);
      for (const child of app.model.nodes.get(id).children) if (child.kind === "group" && passing(child)) open.add(child.id);
    }
    refresh(app, id);
    refocus(app, id);
    announce(`${titleOf(app.model.nodes.get(id))} ${open.has(id) ? "unfolded" : "folded"}`);
  };
  app.unroll = (id) => {
    const first = app.model.members.get(id).first;
    const { unrolled } = app.state;
    if (unrolled.has(first)) unrolled.delete(first);
    else unrolled.add(first);
    refresh(app, first);
    refocus(app, first);
  };
  app.reveal = (id) => {
    let changed = false;
    const need = (set, member) => {
      if (set.has(member)) return;
      set.add(member);
      changed = true;
    };
    for (const group of around(app.model, id)) need(app.state.open, group.id);
    for (const group of [...around(app.model, id), app.model.nodes.get(id)]) {
      const member = app.model.members.get(group.id);
      if (member && member.index) need(app.state.unrolled, member.first);
    }
    if (changed) refresh(app);
    const item = app.scene.items.get(id) || app.scene.shown.get(id);
    if (item) bring(app.view, placeOf(item), true);
    const row = byId("outline").querySelector(`tr[data-id="${CSS.escape(id)}"]`);
    if (app.table && row) row.scrollIntoView({ block: "center" });
  };
  app.setDepth = (depth) => {
    app.state.open = openTo(app.model.root, Math.max(0, Math.min(app.levels, depth)));
    if (depth <= 0) app.state.unrolled = new Set(app.first.unrolled);
    refresh(app);
    fit(app.view, true);
    announce(`${depthText(app)} levels open`);
  };
  app.depth = () => {
    const fits = [...Array(app.levels + 1).keys()].filter((each) => [...openTo(app.model.root, each)].every((id) => app.state.open.has(id)));
    return fits[fits.length - 1];
  };
}

function refocus(app, id) {
  if (!document.activeElement || document.activeElement === document.body || document.activeElement.closest("#canvas")) {
    const element = elementOf(app, id);
    if (element && !app.table) {
      rove(app, element);
      element.focus({ preventScroll: true });
    }
  }
  const row = app.table && byId("outline").querySelector(`tr[data-id="${CSS.escape(id)}"]`);
  if (row) row.focus({ preventScroll: true });
}

addEventListener("DOMContentLoaded", start);
