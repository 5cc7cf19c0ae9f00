// The table of utterances: search, sort, and the dialog that shows one of them.
"use strict";
const PAGE = 50;
const dialog = document.getElementById("utterance");

async function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

const state = { rows: [], shown: [], limit: PAGE, sort: "change", up: true, system: 1, at: -1 };
const chunks = new Map();
const chunkTexts = [...document.querySelectorAll("script.chunk")];

const COLUMNS = [
  ["id", "utterance", "id"], ["test", "test", "text"], ["speaker", "speaker", "text"],
  ["text", "reference", "reference"], ["seconds", "seconds", "n"], ["words", "words", "n"],
];

function columnsShown() {
  const tests = new Set(state.rows.map((row) => row.test)), speakers = new Set(state.rows.map((row) => row.speaker));
  const many = { test: tests.size > 1, speaker: speakers.size > tests.size };
  const some = COLUMNS.filter(([key]) => many[key] ?? true);
  const errors = systemNames.flatMap((name, s) => [[`phone_errors.${s}`, `${name}: phone errors`, "n"], [`word_errors.${s}`, `${name}: word errors`, "n"]]);
  const rest = systemNames.length > 1 ? [["change", "change", "n"]] : [];
  return [...some, ...rest, ...errors, ["phone_rate", "worst PER, %", "n"]];
}

function value(row, key) {
  const [name, s] = key.split(".");
  if (name === "change") return row.phone_errors[state.system] - row.phone_errors[0];
  if (name === "phone_rate") return (100 * Math.max(...row.phone_errors)) / Math.max(1, row.phones);
  return s === undefined ? row[name] : row[name][s];
}

// "both:a→o" in the search is an error of the system `both` in phones; ∅ is a gap.
const ERROR = /^(?:(.+):)?(.+)→(.+)$/;

// The numbers of the utterances in which a system makes an error of phones.
async function withError(text) {
  const [, name, ...sides] = text.match(ERROR);
  const system = name ? systemNames.indexOf(name) : state.system;
  const [ref, hyp] = sides.map((phone) => (phone === "∅" ? GAP : phone));
  const numbers = new Set();
  for (const details of await Promise.all(chunkTexts.map((_, number) => chunk(number)))) {
    for (const [number, { phones }] of Object.entries(details)) {
      if (pairs(phones[system] ?? "").some(([r, h]) => r === ref && h === hyp)) numbers.add(Number(number));
    }
  }
  return numbers;
}

async function choose() {
  const search = document.getElementById("search").value;
  const all = search.split(/\s+/).filter(Boolean);
  const words = all.filter((word) => !ERROR.test(word)).map((word) => word.toLowerCase());
  const errors = await Promise.all(all.filter((word) => ERROR.test(word)).map(withError));
  if (document.getElementById("search").value !== search) return; // somebody types
  const test = document.getElementById("test").value;
  state.shown = state.rows.filter((row) => (!test || row.test === test) && words.every((word) => row.find.includes(word)) && errors.every((some) => some.has(row.number)));
  const sign = state.up ? 1 : -1;
  const order = (a, b) => (typeof a === "string" ? a.localeCompare(b) : (a ?? -1) - (b ?? -1));
  state.shown.sort((a, b) => sign * order(value(a, state.sort), value(b, state.sort)) || a.number - b.number);
  state.limit = PAGE;
  show();
}

function show() {
  const table = document.getElementById("utterance-table");
  const columns = columnsShown();
  const active = document.activeElement?.dataset?.sort;
  const head = element("tr", {}, ...columns.map(([key, name, kind]) => {
    const button = element("button", { type: "button", "data-sort": key }, name);
    const th = element("th", { scope: "col", class: kind }, button);
    if (key === state.sort) th.setAttribute("aria-sort", state.up ? "ascending" : "descending");
    return th;
  }));
  table.tHead.replaceChildren(head);
  if (active) table.tHead.querySelector(`[data-sort="${CSS.escape(active)}"]`)?.focus();
  table.tBodies[0].replaceChildren(...state.shown.slice(0, state.limit).map((row, place) => {
    const tr = element("tr", { "data-place": place });
    for (const [key, , kind] of columns) {
      const shown = value(row, key);
      const td = element("td", { class: kind });
      if (key === "id") {
        const mark = row.sound ? "▶ " : "";
        td.append(element("button", { type: "button", class: "open" }, mark + row.id));
      } else if (key === "change") {
        td.append(element("span", { class: shown < 0 ? "good" : shown > 0 ? "bad" : "" }, shown > 0 ? `+${shown}` : shown < 0 ? `−${-shown}` : "0"));
      } else if (key === "text") td.append(element("span", {}, row.text));
      else td.append(shown == null ? "n/a" : key === "phone_rate" || key === "seconds" ? fixed(shown) : String(shown));
      tr.append(td);
    }
    return tr;
  }));
  document.getElementById("matches").textContent = `${state.shown.length.toLocaleString("en")} of ${state.rows.length.toLocaleString("en")} utterances; ▶ has its sound in this file.`;
  document.getElementById("more").hidden = state.shown.length <= state.limit;
}

async function open(place) {
  const row = state.shown[place];
  if (!row) return;
  state.at = place;
  const button = (text, label, action) => {
    const one = element("button", { type: "button", "aria-label": label }, text);
    one.addEventListener("click", action);
    return one;
  };
  const title = element("h3", { id: "utterance-title" }, row.id);
  const header = element("header", {}, title, button("←", "Previous utterance", () => open(place - 1)), button("→", "Next utterance", () => open(place + 1)), button("Close", "Close", () => dialog.close()));
  const seconds = row.seconds == null ? "" : ` · ${fixed(row.seconds, 2)} s`;
  const facts = element("p", { class: "facts" }, `${row.test} · speaker ${row.speaker}${seconds} · ${row.words} words, ${row.phones} phones`);
  dialog.replaceChildren(header, facts);
  if (!dialog.open) dialog.showModal();
  header.lastChild.focus();
  history.replaceState(null, "", `#utterance=${encodeURIComponent(`${row.test}/${row.id}`)}`);
  const width = dialog.clientWidth - parseFloat(getComputedStyle(dialog).paddingLeft) * 2;
  const detail = row.chunk < 0 ? null : (await chunk(row.chunk))[row.number];
  if (state.at !== place) return; // another one was opened meanwhile
  const words = detail?.words.map(pairs), phones = detail?.phones.map(pairs);
  dialog.append(...sound(row, detail, width));
  if (!detail) {
    dialog.append(element("p", {}, row.text), element("p", { class: "note" }, "The alignments of this utterance are not in this file; see above the table."));
    return;
  }
  dialog.append(element("h4", {}, "Words"), alignment(systemNames, words, width, "words"), element("h4", {}, "Phones"), alignment(systemNames, phones, width, "phones"));
  systemNames.forEach((name, s) => {
    if (!s) return;
    const { fixed: good, introduced } = changes(phones, s);
    const list = (some) =>
      d3.rollups(some, (same) => same.length, (one) => one)
        .sort(([, a], [, b]) => b - a)
        .map(([one, count]) => (count > 1 ? `${one} (${count})` : one)).join(", ") || "none";
    const line = element("p", { class: "changes" }, element("strong", {}, name), ` fixed ${good.length}: `, element("span", { class: "good" }, list(good)), `; introduced ${introduced.length}: `, element("span", { class: "bad" }, list(introduced)));
    dialog.append(line);
  });
}

// Show the utterances that a search finds, in a test set or in all.
function look(text, test = "") {
  document.getElementById("search").value = text;
  document.getElementById("test").value = test;
  return choose();
}

async function chunk(number) {
  if (!chunks.has(number)) chunks.set(number, unpack(chunkTexts[number].textContent));
  return chunks.get(number);
}

function sound(row, detail, width) {
  if (!row.sound) {
    if (!row.link) return [element("p", { class: "note" }, "This corpus has no recording, only features.")];
    const link = element("a", { href: row.link }, "the recording");
    return [element("p", { class: "note" }, "Its sound is not in this file. Beside the experiment, there is ", link, ".")];
  }
  const [peaks, text] = row.sound.textContent.split(" ");
  const audio = element("audio", { controls: "", src: `data:audio/ogg;base64,${text}`, "aria-label": `Sound of ${row.id}` });
  return [audio, wave(peaks, row.seconds, systemNames, detail?.times ?? [], width, audio)];
}

dialog?.addEventListener("close", () => {
  dialog.querySelector("audio")?.pause();
  history.replaceState(null, "", "#utterances");
  document.querySelector(`#utterance-table [data-place="${state.at}"] .open`)?.focus({ preventScroll: true });
  state.at = -1;
  dialog.replaceChildren();
});
dialog?.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
});
dialog?.addEventListener("keydown", (event) => {
  if (event.target.tagName === "AUDIO") return;
  if (event.key === "ArrowRight") open(state.at + 1);
  if (event.key === "ArrowLeft" && state.at > 0) open(state.at - 1);
});

async function start() {
  const tables = await Promise.all([...document.querySelectorAll("script.rows")].map((one) => unpack(one.textContent)));
  for (const one of tables) {
    one.id.forEach((id, i) => {
      const number = one.first + i, speaker = one.speakers[one.speaker[i]];
      state.rows.push({
        id, number, speaker, test: one.test, text: one.text[i], seconds: one.seconds[i],
        words: one.words[i], phones: one.phones[i], chunk: one.chunk[i], link: one.link[i],
        word_errors: one.word_errors.map((some) => some[i]),
        phone_errors: one.phone_errors.map((some) => some[i]),
        sound: document.getElementById(`sound-${number}`),
        find: `${one.text[i]} ${speaker} ${id}`.toLowerCase(),
      });
    });
  }
  const system = document.getElementById("system");
  state.system = system ? Number(system.value) : 0;
  if (!system) Object.assign(state, { sort: "phone_rate", up: false });
  await choose();
  fromAddress();
  document.documentElement.dataset.ready = "";
}

// An address ending in #utterance=TEST/ID opens that utterance.
function fromAddress() {
  const [, wanted] = location.hash.match(/^#utterance=(.*)$/) ?? [];
  if (!wanted) return;
  const place = state.shown.findIndex((row) => `${row.test}/${row.id}` === decodeURIComponent(wanted));
  if (place >= 0) open(place);
}

if (!dialog) document.documentElement.dataset.ready = ""; // a page without utterances
else {
  const table = document.getElementById("utterance-table");
  document.getElementById("search").addEventListener("input", choose);
  document.getElementById("test").addEventListener("change", choose);
  document.getElementById("system")?.addEventListener("change", (event) => {
    state.system = Number(event.target.value);
    choose();
  });
  document.getElementById("more").addEventListener("click", () => {
    state.limit += PAGE;
    show();
  });
  document.getElementById("utterances").addEventListener("click", (event) => {
    const { sort, up } = event.target.dataset ?? {};
    if (!sort) return;
    state.up = up === undefined ? (state.sort === sort ? !state.up : true) : up === "1";
    state.sort = sort;
    choose();
  });
  table.tBodies[0].addEventListener("click", (event) => {
    const place = event.target.closest("tr")?.dataset.place;
    if (place !== undefined) open(Number(place));
  });
  for (const link of document.querySelectorAll("a.find")) {
    link.addEventListener("click", () => look(link.dataset.find, link.dataset.test));
  }
  start();
}
