// The bar, the legend, the pointer and the keys.

function totals(app) {
  const { data, root } = app.model;
  document.title = data.name;
  byId("name").textContent = data.name;
  const at = typeof root.macs === "string" ? ` at ${basisText(data)}` : "";
  const macs = at ? short(Math.round(root.weights.macs)) : short(root.macs);
  byId("totals").textContent = `${short(root.parameters)} parameters · ${macs} MACs · ${plural(app.model.layers.length, "layer")}`;
  byId("totals").title = at ? `MACs${at}` : "";
}

const MEASURES = { macs: "MACs", params: "parameters", memory: "bytes given out", none: "nothing" };

function legend(app, most) {
  const box = byId("legend");
  const { measure } = app;
  if (measure === "none") {
    box.replaceChildren();
    return;
  }
  const total = app.model.root.weights[measure];
  const shown = measure === "memory" ? shortBytes(most) : short(most);
  const basis = app.model.data.open_sizes.length && measure !== "params" ? ` at ${basisText(app.model.data)}` : "";
  const swatches = [...Array(9).keys()].map((step) => el("span", { class: `swatch swatch${step}` }));
  box.replaceChildren(
    el("span", {}, MEASURES[measure]), el("span", {}, "0"), el("span", { class: "swatches", "aria-hidden": "true" }, ...swatches),
    el("span", {}, `${shown}${total > 0 ? ` (${share(most, total)} of all)` : ""}`), el("span", { class: "basis" }, basis));
}

function controls(app) {
  const on = (id, run) => byId(id).addEventListener("click", run);
  on("fold-all", () => app.setDepth(0));
  on("less", () => app.setDepth(app.depth() - (depthText(app) === "some" ? 0 : 1)));
  on("more", () => app.setDepth(app.depth() + 1));
  on("unfold-all", () => app.setDepth(app.levels));
  on("zoom-in", () => app.view.zoom(1.3));
  on("zoom-out", () => app.view.zoom(1 / 1.3));
  on("fit", () => fit(app.view, false));
  on("theme", () => turnTheme());
  on("print", () => print());
  on("view", () => {
    app.table = !app.table;
    showView(app);
    remember(app);
  });
  on("close-details", () => app.select(null));
  byId("colour").value = app.measure;
  byId("colour").addEventListener("change", (event) => {
    app.measure = event.target.value;
    refresh(app);
  });
  byId("outline").addEventListener("keydown", (event) => outlineKeys(app, event));
}

function showView(app) {
  document.body.classList.toggle("as-table", app.table);
  byId("view").textContent = app.table ? "Picture" : "Table";
  if (app.table) {
    showOutline(app);
    const row = byId("outline").querySelector("tr[data-id]");
    if (row) row.setAttribute("tabindex", "0");
  }
}

function isDark() {
  const { theme } = document.documentElement.dataset;
  return theme === "dark" || (theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
}

function turnTheme() {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  announce(isDark() ? "dark" : "light");
}

// ── the pointer ──────────────────────────────────────────────────────────────────────────────────────────────

function pointer(app) {
  const canvas = byId("canvas");
  canvas.addEventListener("click", (event) => {
    const stack = event.target.closest("[data-stack]");
    const node = event.target.closest("[data-id]");
    if (stack) app.unroll(stack.dataset.stack);
    else if (node) activate(app, node.dataset.id);
    else app.select(null);
  });
  const tip = byId("tip");
  const hide = () => {
    tip.hidden = true;
  };
  canvas.addEventListener("pointerover", (event) => {
    const node = event.target.closest("[data-id]");
    if (node && event.pointerType !== "touch") showTip(app, node, event.clientX, event.clientY);
    else hide();
  });
  canvas.addEventListener("pointerleave", hide);
  canvas.addEventListener("pointerdown", hide);
  canvas.addEventListener("wheel", hide, { passive: true });
  canvas.addEventListener("focusin", (event) => {
    const node = event.target.closest("[data-id]");
    if (!node || !node.matches(":focus-visible") || node.dataset.id === app.selected) return;
    const box = node.getBoundingClientRect();
    showTip(app, node, box.right, box.top);
  });
  canvas.addEventListener("focusout", hide);
}

/** A layer is chosen; a group is chosen and folds or unfolds. */
function activate(app, id) {
  app.select(id);
  if (app.model.nodes.get(id).kind === "group") app.toggle(id);
  else refocus(app, id);
}

function showTip(app, element, x, y) {
  const tip = byId("tip");
  const node = app.model.nodes.get(element.dataset.id);
  const item = app.scene.items.get(node.id);
  const title = node.kind === "layer" ? node.text : node.kind === "group" ? `${titleOf(node)}${node.arguments ? `(${node.arguments})` : ""}` : node.name;
  const times = item && item.times > 1 ? el("p", { class: "note" }, `one of ${item.times} that are alike`) : null;
  tip.replaceChildren(...[el("b", {}, cut(title, 80)), node.path ? el("p", { class: "note" }, node.path) : null, times, rowsTable([...numberRows(app, node), ...fieldRows(node)])].filter(Boolean));
  tip.hidden = false;
  const [width, height] = [tip.offsetWidth, tip.offsetHeight];
  tip.style.left = `${Math.max(8, x + 16 + width > innerWidth ? x - width - 12 : x + 16)}px`;
  tip.style.top = `${Math.max(8, Math.min(innerHeight - height - 8, y + 14))}px`;
}

// ── the keys ─────────────────────────────────────────────────────────────────────────────────────────────────

function keys(app) {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
    const run = globalKey(app, event) || (event.target.closest("#canvas") && canvasKey(app, event));
    if (run) {
      event.preventDefault();
      run();
    }
  });
}

function globalKey(app, event) {
  const moves = { ArrowLeft: [80, 0], ArrowRight: [-80, 0], ArrowUp: [0, 80], ArrowDown: [0, -80] };
  if (event.shiftKey && moves[event.key]) return () => app.view.pan(...moves[event.key]);
  const found = {
    "/": () => byId("search").select(),
    "[": () => byId("less").click(),
    "]": () => byId("more").click(),
    "+": () => app.view.zoom(1.3),
    "=": () => app.view.zoom(1.3),
    "-": () => app.view.zoom(1 / 1.3),
    0: () => fit(app.view, false),
    t: () => byId("view").click(),
    d: turnTheme,
    Escape: () => app.select(null),
  };
  return Object.hasOwn(found, event.key) ? found[event.key] : null;
}

function canvasKey(app, event) {
  const at = event.target.closest("[data-id]");
  const nodes = [...byId("stage").querySelectorAll(".node")];
  const focus = (element) => element && focusOn(app, element);
  if (!at) return event.key === "ArrowDown" || event.key === "Enter" ? () => focus(nodes.find((each) => each.tabIndex === 0) || nodes[0]) : null;
  const { id } = at.dataset;
  const open = at.getAttribute("aria-expanded");
  const place = nodes.indexOf(at);
  const parent = app.model.parents.get(id);
  const found = {
    ArrowDown: () => focus(nodes[place + 1]),
    ArrowUp: () => focus(nodes[place - 1]),
    Home: () => focus(nodes[0]),
    End: () => focus(nodes[nodes.length - 1]),
    ArrowRight: () => (open === "false" ? app.toggle(id) : open === "true" ? focus(nodes[place + 1]) : null),
    ArrowLeft: () => (open === "true" ? app.toggle(id) : parent && parent !== app.model.root ? focus(elementOf(app, parent.id)) : null),
    Enter: () => (open === null ? app.select(id) : activate(app, id)),
    " ": () => app.select(id),
    s: () => app.model.members.has(id) && app.unroll(id),
  };
  return Object.hasOwn(found, event.key) ? found[event.key] : null;
}

function focusOn(app, element) {
  rove(app, element);
  const { id } = element.dataset;
  const item = app.scene.items.get(id) || app.scene.shown.get(id);
  const place = placeOf(item);
  bring(app.view, { ...place, height: Math.min(place.height, 60) }, false);
  for (let each = item; each && each.element; each = each.parent) {
    each.element.style.display = "";
    each.veiled = false;
  }
  element.focus({ preventScroll: true });
}

/** On paper: all of what is open, to the width of the page. */
function printing(app) {
  const canvas = byId("canvas");
  addEventListener("beforeprint", () => {
    canvas.setAttribute("viewBox", `-8 -8 ${app.view.width + 16} ${app.view.height + 16}`);
    byId("stage").removeAttribute("transform");
    canvas.classList.remove("far");
    unveil(app.view);
  });
  addEventListener("afterprint", () => {
    canvas.removeAttribute("viewBox");
    app.view.apply();
  });
}
