// One utterance: reference and hypotheses below each other, what was fixed, and the wave.
"use strict";
const GAP = "***";

// [reference, hypothesis] of aligned tokens, from two texts in which "=" is the same token.
function pairs([ref, hyp]) {
  if (!ref) return [];
  const r = ref.split(" ");
  return hyp.split(" ").map((token, i) => [r[i], token === "=" ? r[i] : token.startsWith("==") ? token.slice(1) : token]);
}

// The columns of a common alignment: the tokens of the reference, and between them what any
// system inserted. A column has the reference's token and one of each system; null is a gap.
function columns(systems) {
  const length = Math.max(0, ...systems.map((some) => some.filter(([r]) => r !== GAP).length));
  const inserted = Array.from({ length: length + 1 }, () => systems.map(() => []));
  const heard = Array.from({ length }, () => ({ ref: null, hyps: systems.map(() => null) }));
  systems.forEach((some, s) => {
    let at = 0;
    for (const [r, h] of some) {
      if (r === GAP) inserted[at][s].push(h);
      else {
        heard[at].ref = r;
        heard[at].hyps[s] = h === GAP ? null : h;
        at += 1;
      }
    }
  });
  return inserted.flatMap((lists, at) => {
    const more = Math.max(...lists.map((list) => list.length));
    const extra = Array.from({ length: more }, (_, i) => ({ ref: null, hyps: lists.map((list) => list[i] ?? null) }));
    return at < length ? [...extra, heard[at]] : extra;
  });
}

// Tables of at most `width` pixels, one below the other.
function alignment(names, systems, width, unit) {
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const ruler = document.createElement("canvas").getContext("2d");
  const measured = (tokens, size) => {
    ruler.font = `650 ${size * rem}px ${getComputedStyle(document.body).fontFamily}`;
    return Math.max(...tokens.map((token) => Math.ceil(ruler.measureText(token ?? "–").width)));
  };
  const label = rem + measured(["reference", ...names], 0.8); // sizes and paddings: .aligned in style.css
  const [padding, least] = unit === "phones" ? [0.35 * rem, 1.2 * rem] : [0.6 * rem, 0];
  const box = element("div", { class: `aligned ${unit}` });
  let line = [], used = label;
  const finish = () => {
    if (line.length) box.append(lines(names, line, unit));
    line = [];
    used = label;
  };
  for (const column of columns(systems)) {
    const needs = Math.max(least, measured([column.ref, ...column.hyps], 0.95) + padding);
    if (used + needs > width) finish();
    line.push(column);
    used += needs;
  }
  finish();
  return box;
}

function lines(names, some, unit) {
  const row = (kind, name, cells) => {
    const tr = element("tr", { class: kind }, element("th", { scope: "row" }, name));
    tr.append(...cells);
    return tr;
  };
  const reference = some.map(({ ref }) => element("td", {}, ref ?? "·"));
  const body = element("tbody", {}, row("ref", "reference", reference));
  names.forEach((name, s) => {
    body.append(row("hyp", name, some.map(({ ref, hyps }) => {
      const good = hyps[s] === ref, before = hyps[0] === ref;
      const kind = good ? (s && !before ? "fixed" : "same") : "wrong";
      const said = good ? (kind === "fixed" ? "fixed" : "") : ref === null ? "inserted" : hyps[s] === null ? "deleted" : "substituted";
      const td = element("td", { class: kind }, hyps[s] ?? (ref === null ? "" : "–"));
      if (said) td.title = said, td.setAttribute("aria-label", `${hyps[s] ?? ref}, ${said}`);
      return td;
    })));
  });
  return element("table", { "aria-label": `Aligned ${unit}` }, body);
}

// What a system has fixed, and introduced, of the reference system's errors, as texts.
function changes(systems, s) {
  const fixed = [], introduced = [];
  const shown = (ref, hyp) => `${ref ?? "∅"} → ${hyp ?? "∅"}`;
  for (const { ref, hyps } of columns(systems)) {
    if (hyps[0] !== ref && hyps[s] === ref) fixed.push(shown(ref, hyps[0]));
    if (hyps[0] === ref && hyps[s] !== ref) introduced.push(shown(ref, hyps[s]));
  }
  return { fixed, introduced };
}

// The wave with the words of each system at their times; a line follows the sound.
function wave(peaks, seconds, names, times, width, audio) {
  const levels = [...peaks].map((digit, i, all) => ({ at: ((i + 0.5) * seconds) / all.length, level: parseInt(digit, 36) / 35 }));
  const spoken = times.flatMap((some, s) => some.map(([word, start, length, confidence]) => ({ word, start, end: start + length, confidence, s, name: names[s] })));
  const rows = names.filter((_, s) => times[s]?.length);
  const margin = 16 + 7.2 * Math.max(4, ...rows.map((name) => name.length));
  const svg = plot("Wave of the recording, and the words of each system at their times", {
    width,
    height: 92 + 24 * rows.length,
    marginLeft: margin,
    marginRight: 6,
    marginTop: 4,
    x: { domain: [0, seconds], label: "seconds", ticks: Math.max(2, Math.round(width / 110)) },
    y: { domain: [-1 - 0.9 * rows.length, 1], axis: null },
    marks: [
      Plot.areaY(levels, { x: "at", y1: (l) => -l.level, y2: "level", fill: "var(--seq)", fillOpacity: 0.55, curve: "step" }),
      Plot.rect(spoken, { x1: "start", x2: "end", y1: (w) => -1.15 - 0.9 * rows.indexOf(w.name), y2: (w) => -1.85 - 0.9 * rows.indexOf(w.name), fill: (w) => `var(--s${w.s % 8})`, fillOpacity: (w) => 0.12 + 0.4 * w.confidence, rx: 3 }),
      Plot.text(spoken, { x: (w) => (w.start + w.end) / 2, y: (w) => -1.5 - 0.9 * rows.indexOf(w.name), text: (w) => (w.word.length * 6.6 < ((w.end - w.start) / seconds) * (width - margin) ? w.word : ""), fontSize: 11 }),
      Plot.text(rows, { x: 0, y: (_, i) => -1.5 - 0.9 * i, text: (name) => name, dx: -8, textAnchor: "end", fontSize: 12 }),
      Plot.tip(spoken, Plot.pointer({ x: (w) => (w.start + w.end) / 2, y: (w) => -1.5 - 0.9 * rows.indexOf(w.name), title: (w) => `${w.word}\n${w.name}, ${fixed(w.start, 2)} to ${fixed(w.end, 2)} s\nconfidence ${fixed(w.confidence, 2)}`, maxRadius: 30 })),
    ],
  });
  const cursor = element("div", { class: "cursor", hidden: "" });
  const follow = () => {
    cursor.hidden = audio.currentTime === 0;
    cursor.style.left = `${margin + (audio.currentTime / seconds) * (width - margin - 6)}px`;
    if (!audio.paused && audio.isConnected) requestAnimationFrame(follow);
  };
  for (const event of ["play", "seeked", "pause"]) audio.addEventListener(event, follow);
  const box = element("div", { class: "wave" }, svg, cursor);
  box.addEventListener("click", (event) => {
    const x = event.clientX - svg.getBoundingClientRect().left - margin;
    if (x >= 0) audio.currentTime = Math.min(seconds, (x / (width - margin - 6)) * seconds);
  });
  return box;
}
