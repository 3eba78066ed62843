"use strict";
for (const button of document.querySelectorAll("button[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const text = button.dataset.copy;
    let done = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      done = document.execCommand("copy");
      area.remove();
    }
    button.textContent = done ? "Copied" : "Select it by hand";
    setTimeout(() => { button.textContent = "Copy"; }, 1600);
  });
}
{
  // Charts: values under the pointer, one cross-hair in all, curves to be hidden, a stretch to zoom in on.
  const make = (name, cls, more = {}) => {
    const it = document.createElementNS("http://www.w3.org/2000/svg", name);
    it.setAttribute("class", cls);
    for (const [key, value] of Object.entries(more)) it.setAttribute(key, value);
    return it;
  };
  const text = (name, said, cls = "") => Object.assign(document.createElement(name), { textContent: said, className: cls });
  const said = (v) => {
    const size = Math.abs(v);
    return size && (size < 1e-3 || size >= 1e6) ? v.toExponential(2) : Number(v.toPrecision(3)).toLocaleString("en");
  };
  const pointsOf = (path) => {
    const points = [];
    for (const part of path.getAttribute("d").split("M").slice(1)) {
      const n = part.match(/-?\d+/g).map(Number);
      let [x, y] = n;
      points.push([x / 10, y / 10]);
      for (let i = 2; i < n.length; i += 2) points.push([(x += n[i]) / 10, (y += n[i + 1]) / 10]);
    }
    return points;
  };
  const valueOf = (path, y) => {
    const [kind, ...numbers] = path.dataset.y.split(" ");
    const [low, high, knee, top, height] = numbers.map(Number);
    const share = 1 - (y - top) / height;
    if (kind === "log") return low * (high / low) ** share;
    if (kind === "linear") return low + share * (high - low);
    const bent = (v) => Math.sign(v) * Math.log10(1 + Math.abs(v) / knee);
    const b = bent(low) + share * (bent(high) - bent(low));
    return Math.sign(b) * knee * (10 ** Math.abs(b) - 1);
  };
  const charts = [...document.querySelectorAll("svg.chart")].map((svg) => {
    const [first, last, left, right] = svg.dataset.x.split(" ").map(Number);
    const plots = [...svg.querySelectorAll(".plot")];
    const cross = make("line", "cross", { y1: 0, y2: 999, visibility: "hidden" });
    plots.at(-1).append(cross);
    const ticks = svg.querySelector(".ticks");
    return { svg, first, last, left, right, plots, cross, ticks, own: [...ticks.children], from: first, to: last, unit: svg.dataset.u };
  });
  const xOf = (c, step) => c.left + (c.right - c.left) * (step - c.first) / (c.last - c.first);
  const stepAt = (c, event) => {
    const box = c.svg.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width * c.svg.viewBox.baseVal.width;
    const share = Math.min(1, Math.max(0, (x - c.left) / (c.right - c.left)));
    return c.from + share * (c.to - c.from);
  };
  const near = (path, x) => {
    path.points ??= pointsOf(path);
    return path.points.reduce((best, p) => Math.abs(p[0] - x) < Math.abs(best[0] - x) ? p : best);
  };
  const tip = text("div", "", "tip");
  tip.hidden = true;
  const whole = Object.assign(text("button", "Whole run", "whole"), { type: "button", hidden: true });
  if (charts.length) document.body.append(tip, whole);
  const hover = (c, event) => {
    const step = stepAt(c, event);
    for (const other of charts) {
      const inside = other.unit === c.unit && step >= other.from && step <= other.to;
      other.cross.setAttribute("visibility", inside ? "visible" : "hidden");
      for (const end of ["x1", "x2"]) if (inside) other.cross.setAttribute(end, xOf(other, step));
    }
    const figure = c.svg.closest("figure");
    const rows = [...c.svg.querySelectorAll("[data-y]")].flatMap((path) => {
      const colour = /\bs(\d)/.exec(path.getAttribute("class"))[1];
      if (c.svg.classList.contains(`no${colour}`)) return [];
      const at = near(path, xOf(c, step));
      const name = figure.querySelector(`.legend .k${colour}`).parentElement.textContent;
      const row = text("div", "");
      const bold = path.classList.contains("raw") ? path.nextElementSibling : null;
      const middle = bold ? `, middle ${said(valueOf(path, near(bold, xOf(c, step))[1]))}` : "";
      row.append(text("b", said(valueOf(path, at[1])), `s${colour}`), ` ${name}${middle}`);
      return [row];
    });
    tip.replaceChildren(text("div", `${c.unit} ${Math.round(step).toLocaleString("en")}`), ...rows);
    tip.hidden = false;
    const right = event.clientX + 18 + tip.offsetWidth > innerWidth;
    tip.style.left = `${Math.max(4, event.clientX + (right ? -18 - tip.offsetWidth : 18))}px`;
    tip.style.top = `${Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 4)}px`;
  };
  const leave = () => {
    tip.hidden = true;
    for (const c of charts) c.cross.setAttribute("visibility", "hidden");
  };
  const view = (c, from, to) => {
    [c.from, c.to] = [from, to];
    const zoomed = from > c.first || to < c.last;
    c.svg.classList.toggle("zoomed", zoomed);
    for (const plot of c.plots) {
      const height = plot.getAttribute("height");
      plot.setAttribute("viewBox", `${xOf(c, from)} 0 ${xOf(c, to) - xOf(c, from)} ${height}`);
    }
    if (!zoomed) return c.ticks.replaceChildren(...c.own);
    const rough = Math.max(1, (to - from) / 4);
    const power = 10 ** Math.floor(Math.log10(rough));
    const gap = [1, 2, 5, 10].find((m) => m * power >= rough) * power;
    const y = Number(c.plots[0].getAttribute("height"));
    c.ticks.replaceChildren();
    for (let v = Math.ceil(from / gap) * gap; v <= to; v += gap) {
      const x = c.left + (c.right - c.left) * (v - from) / (to - from);
      const label = make("text", x > c.right - 12 ? "tx end" : "tx", { x, y: y + 16 });
      label.textContent = v.toLocaleString("en");
      c.ticks.append(make("path", "axis", { d: `M${x} ${y}v4` }), label);
    }
  };
  const zoom = (unit, from, to) => {
    for (const c of charts) {
      const [a, b] = [Math.max(from, c.first), Math.min(to, c.last)];
      if (c.unit === unit && b > a) view(c, a, b);
    }
    whole.hidden = !charts.some((c) => c.svg.classList.contains("zoomed"));
    leave();
  };
  whole.addEventListener("click", () => { for (const c of charts) view(c, c.first, c.last); whole.hidden = true; });
  for (const c of charts) {
    let from = null;
    const chosen = make("rect", "window", { y: 0, height: 999, width: 0 });
    c.plots.at(-1).append(chosen);
    c.svg.addEventListener("pointermove", (event) => {
      hover(c, event);
      if (from === null) return;
      const ends = [xOf(c, from), xOf(c, stepAt(c, event))].sort((a, b) => a - b);
      chosen.setAttribute("x", ends[0]);
      chosen.setAttribute("width", ends[1] - ends[0]);
    });
    c.svg.addEventListener("pointerleave", () => { leave(); from = null; chosen.setAttribute("width", 0); });
    c.svg.addEventListener("pointerdown", (event) => {
      if (event.pointerType !== "mouse" || event.button) return;
      event.preventDefault();
      from = stepAt(c, event);
    });
    c.svg.addEventListener("pointerup", (event) => {
      const ends = from === null ? [0, 0] : [from, stepAt(c, event)].sort((a, b) => a - b);
      [from] = [null, chosen.setAttribute("width", 0)];
      if (ends[1] - ends[0] > 0.02 * (c.to - c.from)) zoom(c.unit, ...ends);
    });
    c.svg.addEventListener("dblclick", () => whole.click());
    const legend = c.svg.parentElement.querySelector(".legend");
    const keys = [...legend.querySelectorAll(".k1, .k2, .k3, .k4")];
    if (keys.length < 2) continue;
    legend.removeAttribute("aria-hidden");
    for (const key of keys) {
      const item = key.parentElement;
      const button = Object.assign(text("button", ""), { type: "button", ariaPressed: "true" });
      button.append(...item.childNodes);
      item.append(button);
      button.addEventListener("click", () => {
        const hidden = c.svg.classList.toggle(`no${key.className[1]}`);
        button.ariaPressed = String(!hidden);
      });
    }
  }
}
for (const table of document.querySelectorAll("table[data-sort]")) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const value = (row, i) => row.cells[i].dataset.v ?? row.cells[i].textContent;
  for (const [i, head] of heads.entries()) {
    const button = document.createElement("button");
    button.className = "sort";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = head.ariaSort === "ascending";
      for (const other of heads) other.ariaSort = null;
      head.ariaSort = down ? "descending" : "ascending";
      const rows = [...body.rows].sort((a, b) => {
        const [x, y] = [value(a, i), value(b, i)];
        if (x === "" || y === "") return (x === "") - (y === "");
        const order = isNaN(x) || isNaN(y) ? x.localeCompare(y) : x - y;
        return down ? -order : order;
      });
      body.append(...rows);
    });
  }
}
for (const field of document.querySelectorAll("input[data-find]")) {
  const rows = [...document.getElementById(field.dataset.find).tBodies[0].rows];
  const count = document.querySelector(`[data-count="${field.dataset.find}"]`);
  const line = field.closest("[hidden]");
  const kinds = new Set();
  const filter = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !(words.every((word) => text.includes(word)) && (!kinds.size || kinds.has(row.className)));
    }
    count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length}`;
  };
  field.addEventListener("input", filter);
  for (const kind of new Set(rows.map((row) => row.className))) {
    const button = Object.assign(document.createElement("button"), { type: "button", ariaPressed: "false", textContent: kind });
    count.before(button);
    button.addEventListener("click", () => {
      if (!kinds.delete(kind)) kinds.add(kind);
      button.ariaPressed = String(kinds.has(kind));
      filter();
    });
  }
  line.hidden = false;
}
