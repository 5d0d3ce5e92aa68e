// Search by label, layer or shape: every word must be found; choosing a hit unfolds the way to it.

const MOST_HITS = 60;

function searchable(model) {
  const entries = [];
  for (const node of model.nodes.values()) {
    if (node === model.root) continue;
    const shown = outputText(model, node);
    const types = node.kind === "layer" ? node.outputs.map(typeText) : node.shape ? [typeText(node)] : [];
    const name = nameOf(node);
    const what = node.kind === "layer" ? node.text : node.kind === "group" ? `${titleOf(node)} ${node.arguments || ""}` : node.kind;
    entries.push({ node, name, what, shown, text: plain([name, what, node.label, shown, ...types].join(" ")) });
  }
  return entries;
}

/** Case and signs of multiplication do not matter. */
function plain(text) {
  return text.toLowerCase().normalize("NFKC").replace(/(\d)\s*[x×*]\s*(?=\d)/g, "$1×").replace(/,\s+/g, ",");
}

function found(entries, query) {
  const whole = plain(query.trim());
  const words = whole.split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  const hits = entries.filter((entry) => words.every((word) => entry.text.includes(word)));
  const rank = ({ name, what }) => {
    const label = plain(name);
    return label === whole ? 0 : label.startsWith(whole) ? 1 : plain(what).startsWith(whole) ? 2 : label.includes(whole) ? 3 : 4;
  };
  return hits.map((hit, at) => [rank(hit), at, hit]).sort((a, b) => a[0] - b[0] || a[1] - b[1]).map(([, , hit]) => hit);
}

function startSearch(app) {
  const input = byId("search");
  const list = byId("hits");
  let entries = null;
  let hits = [];
  let chosen = 0;
  const close = () => {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const mark = () => {
    [...list.querySelectorAll("[role=option]")].forEach((option, at) => option.setAttribute("aria-selected", String(at === chosen)));
    const option = list.querySelector("[aria-selected=true]");
    if (option) {
      input.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    }
  };
  const go = (hit) => {
    if (!hit) return;
    app.choose(hit.node.id, true);
    close();
  };
  const show = () => {
    entries = entries || searchable(app.model);
    hits = found(entries, input.value);
    chosen = 0;
    const options = hits.slice(0, MOST_HITS).map((hit, at) =>
      el("li", { role: "option", id: `hit${at}`, "data-node": hit.node.id, on: { pointerdown: (event) => event.preventDefault(), click: () => go(hit) } },
        el("b", {}, cut(hit.name, 60)), el("span", {}, cut(hit.what, 60)), el("span", { class: "note" }, cut(hit.shown, 40))));
    const more = hits.length > MOST_HITS ? [el("li", { class: "note", role: "presentation" }, `and ${(hits.length - MOST_HITS).toLocaleString("en")} more`)] : [];
    const none = input.value.trim() && !hits.length ? [el("li", { class: "note", role: "presentation" }, "nothing is called that")] : [];
    list.replaceChildren(...options, ...more, ...none);
    list.hidden = !input.value.trim();
    input.setAttribute("aria-expanded", String(!list.hidden));
    if (input.value.trim()) announce(`${plural(hits.length, "hit")}`);
    mark();
  };
  input.addEventListener("input", show);
  input.addEventListener("focus", () => input.value.trim() && show());
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    const shown = Math.min(hits.length, MOST_HITS);
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (shown) chosen = (chosen + (event.key === "ArrowDown" ? 1 : shown - 1)) % shown;
      event.preventDefault();
      mark();
    } else if (event.key === "Enter") {
      go(hits[chosen]);
      event.preventDefault();
    } else if (event.key === "Escape") {
      if (list.hidden) input.value = "";
      close();
      event.stopPropagation();
      input.blur();
    }
  });
}
