"use strict";

const SENT_AHEAD = 1 << 20; // bytes that may wait in the browser, before it gives up
const part = (id) => document.getElementById(id);
let server = null; // what /healthz says
let session = null; // the present stream: {socket, context, media}

function say(text, wrong = false) {
  part("state").textContent = text;
  part("state").classList.toggle("wrong", wrong);
}

async function health() {
  const answer = await fetch("healthz", { cache: "no-store" });
  return answer.json();
}

async function connect() {
  try {
    server = await health();
  } catch {
    say("The server does not answer. Load the page again.", true);
    return;
  }
  part("model").textContent = `Model ${server.model}, language ${server.language}`;
  part("words").lang = server.language;
  part("token-row").hidden = !server.token;
  if (!navigator.mediaDevices || !window.AudioWorkletNode) {
    say("This browser gives the microphone only to pages of https:// or of this machine.", true);
    return;
  }
  part("button").disabled = false;
  say("Ready.");
}

async function start() {
  const own = { socket: null, context: null, media: null, refused: "" };
  session = own;
  part("button").textContent = "Stop the microphone";
  part("button").setAttribute("aria-pressed", "true");
  say("Waiting for the microphone …");
  try {
    own.media = await navigator.mediaDevices.getUserMedia({
      audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: true },
    });
    own.context = new AudioContext();
    if (own.context.sampleRate > 48000) { // more than the server takes
      await own.context.close();
      own.context = new AudioContext({ sampleRate: 48000 });
    }
    await own.context.audioWorklet.addModule("recorder.js");
  } catch (error) {
    const none = error.name === "NotFoundError" ? "There is no microphone." : "";
    const denied = error.name === "NotAllowedError" ? "The browser may not use the microphone." : "";
    own.refused = none || denied || `The microphone cannot be used: ${error.message}`;
    finish(own);
    return;
  }
  if (session !== own) { // stopped meanwhile
    finish(own);
    return;
  }
  say("Connecting …");
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  own.socket = new WebSocket(`${scheme}://${location.host}/stream`);
  own.socket.binaryType = "arraybuffer";
  own.socket.onopen = () => {
    const first = { type: "start", rate: Math.round(own.context.sampleRate) };
    if (server.token) first.token = part("token").value;
    own.socket.send(JSON.stringify(first));
  };
  own.socket.onmessage = (event) => receive(own, JSON.parse(event.data));
  own.socket.onclose = (event) => closed(own, event);
}

function receive(own, message) {
  if (message.type === "ready") {
    record(own);
    say("Listening.");
  } else if (message.type === "partial") {
    show(message.text, message.rest);
  } else if (message.type === "final") {
    show("", "");
    if (message.text) add(message);
  } else if (message.type === "error") {
    own.refused = message.message;
  }
}

function record(own) {
  const source = own.context.createMediaStreamSource(own.media);
  const recorder = new AudioWorkletNode(own.context, "recorder", { numberOfOutputs: 0 });
  recorder.port.onmessage = ({ data }) => {
    part("level").value = data.level;
    part("level").textContent = `${Math.round(data.level)} dB`;
    if (own.socket.readyState !== WebSocket.OPEN || own.ended) return;
    if (own.socket.bufferedAmount > SENT_AHEAD) {
      own.refused = "The connection is too slow for speech.";
      own.socket.close();
      return;
    }
    own.socket.send(data.samples);
  };
  source.connect(recorder);
}

function stop() {
  const own = session;
  if (!own) return;
  own.ended = true;
  silence(own);
  if (own.socket && own.socket.readyState === WebSocket.OPEN) {
    say("Waiting for the last words …");
    own.socket.send(JSON.stringify({ type: "end" }));
  } else if (own.socket) {
    own.socket.close();
  } else {
    session = null; // the microphone has not answered yet
    reset();
  }
}

function silence(own) {
  if (own.media) for (const track of own.media.getTracks()) track.stop();
  if (own.context && own.context.state !== "closed") own.context.close();
  part("level").value = -60;
}

async function closed(own, event) {
  if (!own.refused && event.code === 1006) {
    own.refused = "The connection was lost.";
    try {
      const now = await health();
      if (now.streams >= now.most_streams) own.refused = "All streams are taken. Try again later.";
    } catch {
      own.refused = "The server does not answer.";
    }
  }
  finish(own);
}

function finish(own) {
  silence(own);
  if (session !== own && session !== null) return;
  session = null;
  show("", "");
  reset();
  if (own.refused) say(own.refused, true);
}

function reset() {
  part("button").textContent = "Start the microphone";
  part("button").setAttribute("aria-pressed", "false");
  say("Ready.");
}

function show(stable, rest) {
  part("stable").textContent = stable;
  part("rest").textContent = rest;
  if (stable || rest) part("hint").hidden = true;
  follow();
}

function add(message) {
  const line = document.createElement("p");
  line.className = "final";
  const time = document.createElement("time");
  const seconds = Math.floor(message.begin);
  time.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  line.append(time, " ", message.text);
  part("words").insertBefore(line, part("partial"));
  part("hint").hidden = true;
  part("copy").disabled = part("clear").disabled = false;
  follow();
}

function follow() {
  part("words").scrollTop = part("words").scrollHeight;
}

function finals() {
  return [...document.querySelectorAll(".final")];
}

part("button").addEventListener("click", () => (session ? stop() : start()));
part("clear").addEventListener("click", () => {
  for (const line of finals()) line.remove();
  part("copy").disabled = part("clear").disabled = true;
  part("hint").hidden = false;
});
part("copy").addEventListener("click", async () => {
  const text = finals().map((line) => line.lastChild.textContent).join("\n");
  try {
    await navigator.clipboard.writeText(text);
    say("Copied.");
  } catch {
    say("The browser does not let the page copy.", true);
  }
});
connect();
