"use strict";

const $ = (selector) => document.querySelector(selector);

function show(part, on, text) {
  const state = $(`.state[data-for=${part}]`);
  state.className = `state ${on ? "on" : "off"}`;
  state.textContent = text;
}

function bytes(n) {
  const units = ["B", "KiB", "MiB", "GiB"];
  let unit = 0;
  while (n >= 1000 && unit < units.length - 1) {
    n /= 1024;
    unit++;
  }
  return `${n < 10 && unit > 0 ? n.toFixed(1) : Math.round(n)} ${units[unit]}`;
}

function seconds(s) {
  if (s < 1) {
    return `${(s * 1000).toFixed(s < 0.01 ? 2 : 0)} ms`;
  }
  const parts = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const at = parts.findIndex(([n]) => s >= n);
  return parts.slice(at, at + 2)
    .map(([n, unit], i) => `${Math.floor((i ? s % parts[at][0] : s) / n)} ${unit}`)
    .join(" ");
}

/* ---- live ---- */

const rates = [];
let before;

function draw() {
  const most = Math.max(10, ...rates);
  const points = rates.map((rate, i) =>
    `${600 - (rates.length - 1 - i) * 10},${(88 - rate / most * 80).toFixed(1)}`);
  $("#graph polyline").setAttribute("points", points.join(" "));
  $("#graph polygon").setAttribute("points",
    `${600 - (rates.length - 1) * 10},90 ${points.join(" ")} 600,90`);
}

function stats(now) {
  $("#connections").textContent = now.connections;
  $("#tasks").textContent = now.tasks;
  $("#longest").textContent = seconds(now.longest);
  $("#resident").textContent = bytes(now.resident);
  $("#uptime").textContent = seconds(now.uptime);
  if (before && now.uptime > before.uptime) {
    const rate = (now.turns - before.turns) / (now.uptime - before.uptime);
    $("#rate").textContent = Math.round(rate);
    rates.push(rate);
    rates.splice(0, rates.length - 61);
    draw();
  }
  before = now;
}

const events = new EventSource("events");
events.onopen = () => show("live", true, "live");
events.onerror = () => show("live", false, "trying again");
events.addEventListener("stats", (event) => stats(JSON.parse(event.data)));

/* ---- upload ---- */

function result(text, detail, bad) {
  const li = document.createElement("li");
  li.append(text, " ");
  const small = document.createElement("small");
  small.textContent = detail;
  small.className = bad ? "bad" : "";
  li.append(small);
  $(".results").prepend(li);
}

function upload(files) {
  const form = new FormData();
  for (const file of files) {
    form.append("file", file);
  }
  const bar = $("progress");
  const request = new XMLHttpRequest();
  request.upload.onprogress = (event) => {
    bar.max = event.total;
    bar.value = event.loaded;
  };
  request.onloadend = () => {
    bar.hidden = true;
    if (request.status !== 200) {
      result("Not uploaded:", request.statusText || "no connection", true);
      return;
    }
    for (const file of JSON.parse(request.responseText).files) {
      result(file.name, `${bytes(file.size)} in ${seconds(file.seconds)}`);
    }
  };
  bar.value = 0;
  bar.hidden = false;
  request.open("POST", "upload");
  request.send(form);
}

const drop = $(".drop");
$("#files input").onchange = (event) => {
  upload(event.target.files);
  event.target.value = "";
};
for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
  drop.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", kind === "dragenter" || kind === "dragover");
  });
}
drop.addEventListener("drop", (event) => upload(event.dataTransfer.files));

/* ---- chat ---- */

const messages = $("#messages");
let socket;

function hear(message) {
  show("chat", true, message.people === 1 ? "you alone" : `${message.people} here`);
  if (!message.text) {
    return;
  }
  const li = document.createElement("li");
  const time = document.createElement("time");
  time.textContent = new Date(message.time * 1000).toTimeString().slice(0, 5);
  const name = document.createElement("b");
  name.textContent = message.name || "somebody";
  li.append(time, name, ` ${message.text}`);
  const atEnd = messages.scrollHeight - messages.scrollTop - messages.clientHeight < 40;
  messages.append(li);
  if (atEnd) {
    messages.scrollTop = messages.scrollHeight;
  }
}

function join(wait) {
  const url = new URL("chat", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  socket = new WebSocket(url);
  socket.onopen = () => {
    wait = 1;
    messages.replaceChildren();
    show("chat", true, "open");
  };
  socket.onmessage = (event) => hear(JSON.parse(event.data));
  socket.onclose = () => {
    show("chat", false, "trying again");
    setTimeout(() => join(Math.min(wait * 2, 30)), wait * 1000);
  };
}
join(1);

const say = $("#say");
say.elements.name.value = localStorage.getItem("name") || "";
say.onsubmit = (event) => {
  event.preventDefault();
  const name = say.elements.name.value;
  const text = say.elements.text.value;
  localStorage.setItem("name", name);
  if (socket.readyState === WebSocket.OPEN) {
    socket.send(JSON.stringify({ name, text }));
    say.elements.text.value = "";
  }
};

for (const place of document.querySelectorAll(".origin")) {
  place.textContent = location.origin;
}
