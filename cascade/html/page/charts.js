// Charts: every figure of the page is drawn by one function of `draw`, when it comes into view.
"use strict";
const figures = JSON.parse(document.getElementById("figures").textContent);
const systemNames = figures.systems ?? [];
const systemColours = {
  domain: systemNames,
  range: systemNames.map((_, i) => `var(--s${i % 8})`),
};
const fixed = (value, digits = 1) => (value == null ? "n/a" : value.toFixed(digits));
const of = (rows, key) => [...new Set(rows.map((row) => row[key]))];

function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

// A plot in the look of the page. Text of marks takes the colour of the page's text.
function plot(label, options) {
  return Plot.plot({
    marginBottom: 40,
    ...options,
    x: { labelOffset: 36, ...options.x },
    ariaLabel: label,
    style: { background: "transparent", color: "inherit", fontSize: "12px", overflow: "visible" },
  });
}

// Several plots with a title each, side by side where there is room.
function panels(box, names, one) {
  const grid = element("div", { class: names.length > 1 ? "panels" : "panels one" });
  box.append(grid);
  const cells = names.map((name) => {
    const cell = element("div");
    grid.append(cell);
    return cell;
  });
  names.forEach((name, i) => {
    const made = one(name, cells[i].clientWidth);
    cells[i].append(element("h4", {}, made.title ?? String(name)), made.svg);
  });
}

function span(values, least) {
  const [low, high] = d3.extent(values);
  const pad = Math.max(0.08 * (high - low), (least - (high - low)) / 2, 0.3);
  return [Math.max(0, low - pad), high + pad];
}

const longest = (names) => Math.min(150, 14 + 7 * Math.max(...names.map((n) => n.length)));

const draw = {
  rates(box, { unit }) {
    const chosen = figures.rates.filter((row) => row.unit === unit && row.rate != null);
    box.append(element("div", { class: "stack" }));
    for (const test of of(chosen, "test")) {
      const rows = chosen.filter((row) => row.test === test);
      const names = of(rows, "system");
      const basis = rows.find((row) => row.system === figures.reference);
      const ends = rows.flatMap((row) => [row.low ?? row.rate, row.high ?? row.rate]);
      const svg = plot(`${test}: ${unit.replace(/s$/, "")} error rates`, {
        width: box.clientWidth,
        height: 54 + 34 * names.length,
        marginLeft: longest(names),
        marginRight: 44,
        marginTop: 6,
        x: { domain: span(ends, 5), grid: true, label: "error rate, %", ticks: 5 },
        y: { domain: names, label: null, padding: 0.4, tickSize: 0 },
        color: systemColours,
        marks: [
          basis ? Plot.ruleX([basis.rate], { stroke: "currentColor", strokeOpacity: 0.5, strokeDasharray: "3 3" }) : null,
          Plot.ruleY(rows.filter((row) => row.low != null), { x1: "low", x2: "high", y: "system", stroke: "system", strokeWidth: 9, strokeOpacity: 0.28, strokeLinecap: "round" }),
          Plot.dot(rows, { x: "rate", y: "system", fill: "system", r: 6.5 }),
          Plot.text(rows, { x: (row) => row.high ?? row.rate, y: "system", text: (row) => fixed(row.rate), dx: 12, textAnchor: "start", fontWeight: 650, fontSize: 13 }),
          Plot.tip(rows, Plot.pointerY({ x: "rate", y: "system", title: (row) => `${row.system}: ${fixed(row.rate, 2)} %${row.low == null ? "" : `\n95 % interval ${fixed(row.low, 2)} to ${fixed(row.high, 2)}`}` })),
        ],
      });
      box.lastChild.append(element("h4", {}, test), svg);
    }
  },

  durations(box) { histogram(box, figures.durations, "seconds"); },
  speech_rates(box) { histogram(box, figures.speech_rates, "phones a second"); },

  coverage(box) {
    const rows = figures.coverage;
    const names = rows.map((row) => row.language);
    box.append(plot("What share of the target's running phones each language covers", {
      width: Math.min(box.clientWidth, 760),
      height: 44 + 34 * rows.length,
      marginLeft: longest(names),
      marginRight: 50,
      x: { domain: [0, 100], grid: true, label: "% of the running phones" },
      y: { domain: names, label: null, tickSize: 0 },
      marks: [
        Plot.barX(rows, { x: "near", y: "language", fill: "var(--shared)", insetTop: 4, insetBottom: 4 }),
        Plot.barX(rows, { x: "exact", y: "language", fill: "var(--seq)", insetTop: 4, insetBottom: 4 }),
        Plot.text(rows, { x: "near", y: "language", text: (row) => `${fixed(row.exact)} – ${fixed(row.near)}`, dx: 5, textAnchor: "start", fontWeight: 600 }),
      ],
    }));
  },

  curves(box) {
    panels(box, figures.curves.map((panel) => panel.name), (name, width) => {
      const panel = figures.curves.find((one) => one.name === name);
      const values = panel.points.map((point) => point.value);
      // The first steps are far above all others: they would hide what follows.
      const domain = [0.96 * d3.min(values), Math.max(d3.quantile(values, 0.93), 1.15 * d3.min(values))];
      return {
        title: panel.title,
        svg: plot(panel.title, {
          width,
          height: 240,
          marginLeft: 40,
          x: { label: "step", ticks: Math.max(2, Math.round(width / 90)), grid: false },
          y: { domain, label: null, grid: true, clamp: true, ticks: 5 },
          color: systemColours,
          marks: [
            Plot.lineY(panel.points, { x: "step", y: "value", stroke: "system", strokeWidth: 1.8 }),
            Plot.dot(panel.best, { x: "step", y: "value", fill: "system", stroke: "var(--paper)", symbol: "star", r: 7 }),
            Plot.ruleX(panel.points, Plot.pointerX({ x: "step", stroke: "currentColor", strokeOpacity: 0.3 })),
            Plot.tip(panel.points, Plot.pointer({ x: "step", y: "value", title: (point) => `${point.system}, step ${point.step}\n${fixed(point.value, 3)}` })),
          ],
        }),
      };
    });
  },

  confusion(box, { test, system, against }) { confusion(box, test, system, against); },

  phone_rates(box, { test, system }) {
    const rows = figures.phone_rates.filter((row) => row.test === test && row.system === system);
    const classes = { shared: "var(--s1)", own: "var(--s5)", new: "var(--s3)" };
    const present = Object.keys(classes).filter((name) => rows.some((row) => row.class === name));
    box.append(
      element("ul", { class: "legend" }, ...present.map((name) => {
        const swatch = element("span", { class: "swatch", "aria-hidden": "true", style: `background:${classes[name]}` });
        return element("li", {}, swatch, { shared: "shared with another language", own: "the target's own", new: "not in the training" }[name]);
      })),
      plot(`Error rate of each phone of ${test} by ${system}`, {
        width: box.clientWidth,
        height: Math.min(460, 260 + box.clientWidth / 5),
        marginLeft: 40,
        x: { type: "symlog", constant: 10, label: "times in the target's training", ticks: box.clientWidth < 500 ? [0, 10, 100, 1000] : [0, 10, 30, 100, 300, 1000, 3000, 10000], grid: true, nice: true },
        y: { label: "error rate, %", grid: true, domain: [0, Math.min(150, d3.max(rows, (row) => row.rate) ?? 100)], clamp: true },
        marks: [
          Plot.text(rows, { x: "train", y: "rate", text: "phone", fill: (row) => classes[row.class], fontSize: 15, fontWeight: 600 }),
          Plot.tip(rows, Plot.pointer({ x: "train", y: "rate", title: (row) => `${row.phone} (${row.class})\n${row.errors} errors of ${row.tokens}: ${fixed(row.rate)} %\n${row.train} times in the training` })),
        ],
      }),
    );
  },

  by_group(box, { test }) {
    const rows = figures.by_group[test];
    const titles = { length: "By length, words", speaker: "By speaker", frequency: "By times of the word in training", vocabulary: "By vocabulary" };
    panels(box, of(rows, "by"), (by, width) => {
      const mine = rows.filter((row) => row.by === by);
      const names = of(mine, "group");
      return {
        title: titles[by],
        svg: plot(`${test}: word error rate, ${titles[by]}`, {
          width,
          height: 56 + 30 * names.length,
          marginLeft: longest(names),
          marginRight: 16,
          x: { domain: [0, Math.max(10, d3.max(mine, (row) => row.rate))], nice: true, grid: true, label: "%", ticks: 5 },
          y: { domain: names, label: null, tickSize: 0 },
          color: systemColours,
          marks: [
            Plot.ruleY(d3.groups(mine, (row) => row.group), { x1: ([, some]) => d3.min(some, (row) => row.rate), x2: ([, some]) => d3.max(some, (row) => row.rate), y: ([group]) => group, stroke: "currentColor", strokeOpacity: 0.25, strokeWidth: 2 }),
            Plot.dot(mine, { x: "rate", y: "group", fill: "system", r: 5.5, fillOpacity: 0.9 }),
            Plot.tip(mine, Plot.pointer({ x: "rate", y: "group", title: (row) => `${row.system}, ${row.group}\n${fixed(row.rate)} % of ${row.words} words` })),
          ],
        }),
      };
    });
  },

  reliability(box, { test }) {
    const rows = figures.confidence.reliability.filter((row) => row.test === test);
    const width = Math.min(box.clientWidth, 460);
    box.append(plot(`${test}: correct words against confidence`, {
      width,
      height: width * 0.86,
      x: { domain: [0, 100], label: "confidence, %", grid: true, ticks: 5 },
      y: { domain: [0, 100], label: "correct words, %", grid: true, ticks: 5 },
      r: { range: [2.5, 9] },
      color: systemColours,
      marks: [
        Plot.line([[0, 0], [100, 100]], { stroke: "currentColor", strokeOpacity: 0.5, strokeDasharray: "4 4" }),
        Plot.line(rows, { x: "confidence", y: "correct", stroke: "system", strokeWidth: 1.6 }),
        Plot.dot(rows, { x: "confidence", y: "correct", fill: "system", r: "words" }),
        Plot.tip(rows, Plot.pointer({ x: "confidence", y: "correct", title: (row) => `${row.system}: ${row.words} words\nconfidence ${fixed(row.confidence)} %, correct ${fixed(row.correct)} %` })),
      ],
    }));
  },

  caught(box, { test }) {
    const rows = figures.confidence.caught.filter((row) => row.test === test);
    const width = Math.min(box.clientWidth, 460);
    box.append(plot(`${test}: errors caught against words checked`, {
      width,
      height: width * 0.86,
      x: { domain: [0, 100], label: "words checked, %", grid: true, ticks: 5 },
      y: { domain: [0, 100], label: "errors caught, %", grid: true, ticks: 5 },
      color: systemColours,
      marks: [
        Plot.line([[0, 0], [100, 100]], { stroke: "currentColor", strokeOpacity: 0.5, strokeDasharray: "4 4" }),
        Plot.line(rows, { x: "checked", y: "caught", stroke: "system", strokeWidth: 2 }),
        Plot.tip(rows, Plot.pointer({ x: "checked", y: "caught", title: (row) => `${row.system}: checking ${row.checked} % of the words\n(confidence up to ${fixed(row.threshold, 2)})\ncatches ${fixed(row.caught)} % of the errors` })),
      ],
    }));
  },

  sweep(box, { unit, name }) {
    const { key, words, rows, means } = name === undefined ? figures.sweep : figures.sweeps[name];
    const colours = { domain: figures.sweep_systems, range: figures.sweep_systems.map((_, i) => `var(--s${i % 8})`) };
    const label = key === "target_minutes" ? "minutes of the target's speech" : key;
    panels(box, of(rows, "test"), (test, width) => {
      const dots = rows.filter((row) => row.test === test && row.unit === unit);
      const lines = means.filter((row) => row.test === test && row.unit === unit);
      const places = of(lines, "x").sort(d3.ascending);
      const log = !words && places[0] > 0 && places.at(-1) / places[0] >= 4;
      return {
        svg: plot(`${test}: error rate against ${key}`, {
          width,
          height: 300,
          marginLeft: 40,
          marginRight: 24,
          x: { type: log ? "log" : "linear", label, ticks: places, tickFormat: (x) => lines.find((row) => row.x === x)?.value ?? "" },
          y: { domain: span(dots.map((row) => row.rate), 5), label: `${unit === "phones" ? "phone" : "word"} error rate, %`, grid: true },
          color: colours,
          marks: [
            Plot.areaY(lines, { x: "x", y1: "low", y2: "high", fill: "system", fillOpacity: 0.15 }),
            words ? Plot.ruleX(lines, { x: "x", y1: "low", y2: "high", stroke: "system" }) : Plot.line(lines, { x: "x", y: "mean", stroke: "system", strokeWidth: 2 }),
            Plot.dot(dots, { x: "x", y: "rate", fill: "system", r: 2.5, fillOpacity: 0.5 }),
            Plot.dot(lines, { x: "x", y: "mean", fill: "system", r: 4.5 }),
            Plot.tip(lines, Plot.pointer({ x: "x", y: "mean", title: (row) => `${row.system}, ${row.value}: ${fixed(row.mean, 2)} %\n${row.seeds} seeds, ${fixed(row.low, 2)} to ${fixed(row.high, 2)}` })),
          ],
        }),
      };
    });
  },
};

function histogram(box, rows, label) {
  const sets = d3.groups(rows, (row) => row.set).map(([set, [row]]) => ({ set, role: row.role }));
  const roles = { train: "var(--s1)", train_ext: "var(--s2)", train_untranscribed: "var(--s4)", valid: "var(--s7)", test: "var(--s5)" };
  box.append(plot(label, {
    width: box.clientWidth,
    height: 46 + 58 * sets.length,
    marginLeft: 8,
    marginRight: 8,
    x: { label, ticks: 6 },
    y: { axis: null },
    fy: { domain: sets.map((set) => set.set), axis: null, padding: 0.12 },
    marks: [
      Plot.rectY(rows, { x1: "low", x2: "high", y: "share", fy: "set", fill: (row) => roles[row.role], fillOpacity: 0.75, insetLeft: 0.5, insetRight: 0.5 }),
      Plot.ruleY([0], { stroke: "currentColor", strokeOpacity: 0.4 }),
      Plot.text(sets, { fy: "set", text: "set", frameAnchor: "top-right", dy: 2, fontWeight: 600 }),
      Plot.tip(rows, Plot.pointerX({ x: (row) => (row.low + row.high) / 2, y: "share", fy: "set", title: (row) => `${row.set}\n${row.low} to ${row.high} ${label}: ${fixed(row.share)} %` })),
    ],
  }));
}

// Rows are phones of the reference, columns what was recognised. -1 is a gap.
function confusion(box, test, system, against) {
  const { phones, groups, pairs } = figures.confusions.find((one) => one.test === test);
  const shares = (name) => {
    const totals = d3.rollup(pairs[name], (some) => d3.sum(some, (pair) => pair[2]), (pair) => pair[0]);
    return new Map(pairs[name].map(([r, h, n]) => [`${r} ${h}`, [r, h, n, (100 * n) / totals.get(r)]]));
  };
  const mine = shares(system), theirs = against ? shares(against) : null;
  const name = (i) => (i < 0 ? "∅" : phones[i]);
  const cells = [...new Set([...mine.keys(), ...(theirs?.keys() ?? [])])].map((key) => {
    const [r, h] = key.split(" ").map(Number);
    const [, , n = 0, share = 0] = mine.get(key) ?? [];
    const [, , other = 0, before = 0] = theirs?.get(key) ?? [];
    const better = r === h ? share - before : before - share;
    return { r: name(r), h: name(h), n, share, other, better, same: r === h };
  });
  const size = Math.max(13, Math.min(17, (box.clientWidth - 50) / (phones.length + 1)));
  const domain = [...phones, "∅"];
  const breaks = domain.filter((_, i) => i && groups[i] !== groups[i - 1]);
  const strength = theirs ? (cell) => Math.min(1, Math.sqrt(Math.abs(cell.better) / 15)) : (cell) => Math.sqrt(cell.share / 100);
  const colour = theirs ? (cell) => (cell.better >= 0 ? "var(--good)" : "var(--bad)") : (cell) => (cell.same ? "var(--s7)" : "var(--bad)");
  const title = (cell) => {
    const head = cell.r === "∅" ? `inserted ${cell.h}` : cell.same ? `${cell.r} recognised` : `${cell.r} → ${cell.h === "∅" ? "deleted" : cell.h}`;
    return `${head}: ${cell.n} times, ${fixed(cell.share)} %` + (theirs ? `\n${against}: ${cell.other} times` : "");
  };
  const chart = plot(`Confusion matrix of ${system} on ${test}${theirs ? `, compared with ${against}` : ""}`, {
    width: 50 + size * domain.length,
    height: 46 + size * domain.length,
    marginLeft: 34,
    marginTop: 34,
    marginBottom: 12,
    marginRight: 16,
    padding: 0.06,
    x: { domain, axis: "top", label: "recognised", tickSize: 0, labelAnchor: "left" },
    y: { domain, label: null, tickSize: 0 },
    marks: [
      Plot.cell(cells, { x: "h", y: "r", fill: colour, fillOpacity: strength }),
      Plot.ruleX(breaks, { x: (p) => p, stroke: "var(--line)", dx: -size / 2 }),
      Plot.ruleY(breaks, { y: (p) => p, stroke: "var(--line)", dy: -size / 2 }),
      Plot.tip(cells, Plot.pointer({ x: "h", y: "r", title, maxRadius: 20 })),
    ],
  });
  chart.style.cursor = "pointer";
  chart.addEventListener("click", async () => {
    const cell = chart.value; // the one that the tip is about
    if (!cell) return;
    await look(`${system}:${cell.r}→${cell.h}`, test);
    document.getElementById("utterances").scrollIntoView();
  });
  const colours = theirs
    ? `Green: ${system} is better than ${against}; red: worse. Full colour: 15 percentage points.`
    : "Grey: recognised. Red: confused. The stronger, the more frequent.";
  box.append(element("p", { class: "note" }, `${colours} A click on a cell leads to its utterances.`), chart);
}

function redraw(figure) {
  const box = figure.querySelector(".plot");
  const state = {};
  for (const control of figure.querySelectorAll(".controls [data-key]")) state[control.dataset.key] = control.value;
  const height = box.offsetHeight;
  box.style.minHeight = `${height}px`; // so that the page does not jump
  box.replaceChildren();
  draw[figure.dataset.chart](box, state);
  box.style.minHeight = "";
}

const charts = [...document.querySelectorAll("figure.chart")];
const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (entry.isIntersecting) {
      seen.unobserve(entry.target);
      redraw(entry.target);
      entry.target.dataset.drawn = "";
    }
  }
}, { rootMargin: "600px" });
for (const figure of charts) {
  seen.observe(figure);
  figure.addEventListener("change", () => redraw(figure));
}
let width = innerWidth, waiting;
addEventListener("resize", () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    if (innerWidth === width) return;
    width = innerWidth;
    for (const figure of charts) if ("drawn" in figure.dataset) redraw(figure);
  }, 150);
});
addEventListener("beforeprint", () => charts.forEach(redraw));
