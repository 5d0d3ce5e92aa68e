// Where the picture stands in its pane: pan and zoom by wheel, drag, touch and keys.

const LEAST = 0.02;
const MOST = 4;
const MANY = 150; // boxes
const FAR = 0.42; // below this, small texts are left out

function makeViewport(pane, stage) {
  const view = { x: 0, y: 0, k: 1, pane, stage, width: 1, height: 1, moved: false };
  const apply = oncePerFrame(() => {
    stage.setAttribute("transform", `translate(${view.x} ${view.y}) scale(${view.k})`);
    pane.classList.toggle("far", view.k < FAR);
    if (view.scene) veil(view);
  });
  view.apply = apply;
  // Measured now and then only: to ask for it makes the browser lay out all that is new.
  view.measure = () => {
    view.box = pane.getBoundingClientRect();
  };
  view.measure();
  new ResizeObserver(() => {
    view.measure();
    apply();
  }).observe(pane);
  view.zoom = (factor, px, py) => {
    const { box } = view;
    const [cx, cy] = [px === undefined ? box.width / 2 : px - box.left, py === undefined ? box.height / 2 : py - box.top];
    const k = Math.min(MOST, Math.max(Math.min(LEAST, view.k), view.k * factor));
    view.x = cx - ((cx - view.x) * k) / view.k;
    view.y = cy - ((cy - view.y) * k) / view.k;
    view.k = k;
    apply();
  };
  view.pan = (dx, dy) => {
    view.x += dx;
    view.y += dy;
    apply();
  };
  listen(view);
  return view;
}

/** Leaves out what is far outside the pane, in a picture with many boxes: a browser is slow to move what it need not show. */
function veil(view) {
  if (view.scene.items.size < MANY) return;
  const { box } = view;
  const [left, top] = [(-view.x - box.width / 2) / view.k, (-view.y - box.height / 2) / view.k];
  const [right, bottom] = [left + (2 * box.width) / view.k, top + (2 * box.height) / view.k];
  const visit = (frame, x, y) => {
    for (const child of frame.children) {
      const [cx, cy] = [x + child.x, y + child.y];
      const inside = cx < right && cy < bottom && cx + child.width > left && cy + child.height > top;
      if (child.veiled === inside) child.element.style.display = inside ? "" : "none";
      child.veiled = !inside;
      if (inside && child.kind === "frame") visit(child, cx, cy);
    }
  };
  visit(view.scene.root, 0, 0);
}

/** Shows all again, for paper and for whoever asks where things are. */
function unveil(view) {
  for (const item of view.scene.items.values()) {
    if (item.element) item.element.style.display = "";
    item.veiled = false;
  }
}

function listen(view) {
  const { pane } = view;
  pane.addEventListener("wheel", (event) => {
    event.preventDefault();
    const unit = event.deltaMode === 1 ? 18 : event.deltaMode === 2 ? 400 : 1;
    if (event.shiftKey) view.pan(-(event.deltaX || event.deltaY) * unit, 0);
    else view.zoom(Math.exp((-event.deltaY * unit * (event.ctrlKey ? 4 : 1)) / 500), event.clientX, event.clientY);
  }, { passive: false });
  const down = new Map();
  pane.addEventListener("pointerdown", (event) => {
    if (event.button > 1) return;
    down.set(event.pointerId, [event.clientX, event.clientY]);
    view.moved = false;
  });
  addEventListener("pointermove", (event) => {
    const before = down.get(event.pointerId);
    if (!before) return;
    const now = [event.clientX, event.clientY];
    if (down.size === 2) pinch(view, [...down.entries()].find(([id]) => id !== event.pointerId)[1], before, now);
    else if (view.moved || Math.hypot(now[0] - before[0], now[1] - before[1]) > 4) {
      view.moved = true;
      pane.classList.add("dragging");
      view.pan(now[0] - before[0], now[1] - before[1]);
    } else return;
    down.set(event.pointerId, now);
  });
  for (const name of ["pointerup", "pointercancel"]) addEventListener(name, (event) => {
    down.delete(event.pointerId);
    pane.classList.remove("dragging");
  });
  // A drag is no click on what it ends upon.
  pane.addEventListener("click", (event) => {
    if (view.moved) event.stopPropagation();
    view.moved = false;
  }, true);
}

function pinch(view, still, before, now) {
  view.moved = true;
  const distance = ([x, y]) => Math.hypot(x - still[0], y - still[1]) || 1;
  view.zoom(distance(now) / distance(before), (still[0] + now[0]) / 2, (still[1] + now[1]) / 2);
  view.pan((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
}

/** All of it in the pane; with `readable`, no smaller than can be read: then its upper end. */
function fit(view, readable) {
  const { box } = view;
  const [wide, high] = [Math.max(1, box.width - 48), Math.max(1, box.height - 64)];
  let k = Math.min(1.15, wide / view.width, high / view.height);
  if (readable) k = Math.min(1.15, wide / view.width, Math.max(k, 0.72));
  if (readable) k = Math.max(k, 0.3);
  view.k = Math.max(k, 0.001);
  view.x = (box.width - view.width * view.k) / 2;
  view.y = Math.max(24, (box.height - view.height * view.k) / 2);
  view.apply();
}

/** Moves so that a place (x, y, width, height in the picture) can be seen; to the middle if it could not. */
function bring(view, place, centre) {
  const { box } = view;
  const left = view.x + place.x * view.k;
  const top = view.y + place.y * view.k;
  const [wide, high] = [place.width * view.k, place.height * view.k];
  const inside = left >= 8 && top >= 8 && left + wide <= box.width - 8 && top + high <= box.height - 8;
  if (inside && !centre) return;
  if (centre && view.k < 0.55) view.k = 0.85;
  view.x = box.width / 2 - (place.x + place.width / 2) * view.k;
  view.y = box.height / 2 - (place.y + Math.min(place.height, box.height / view.k) / 2) * view.k;
  view.apply();
}

/** Where an item stands in the picture. */
function placeOf(item) {
  let [x, y] = [0, 0];
  for (let each = item; each && each.parent; each = each.parent) [x, y] = [x + each.x, y + each.y];
  return { x, y, width: item.width, height: item.height };
}
