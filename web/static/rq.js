// What the pages at /rq do in a browser: read their data every few seconds and show it, as text and never as markup;
// ask the server what a button asks. A <template> says where what belongs: data-text, data-time, data-href, data-job, data-if.
"use strict";

const page = document.body.dataset;
const token = document.querySelector("meta[name=csrf-token]").content;
const refresh = document.getElementById("refresh");
const list = document.querySelector("[data-rows]");
const one = document.querySelector("[data-one]");
const row = document.querySelector("template[data-row]");
const pages = document.querySelector("[data-pages]");
let shown = "";
let lost = false;
let asked = 0;

const at = (item, path) => path.split(".").reduce((inner, name) => inner?.[name], item);
const text = (value) => (Array.isArray(value) ? value.join(", ") : value ?? "–");
const link = (pattern, id) => pattern.replace("JOB", encodeURIComponent(id));

function fill(item) {
  const part = row.content.cloneNode(true);
  for (const e of part.querySelectorAll("[data-if]")) if (!at(item, e.dataset.if)) e.remove();
  for (const e of part.querySelectorAll("[data-text]")) e.textContent = text(at(item, e.dataset.text));
  for (const e of part.querySelectorAll("[data-href]")) e.href = at(item, e.dataset.href);
  for (const e of part.querySelectorAll("[data-job]")) e.href = link(page.jobPage, at(item, e.dataset.job));
  for (const e of part.querySelectorAll("[data-time]")) e.dateTime = at(item, e.dataset.time) ?? "";
  for (const e of part.querySelectorAll("[data-ask]")) e.dataset.id = item.id;
  return part;
}

function show(data) {
  if (one) {
    const meta = JSON.parse(data.metadata);
    one.replaceChildren(fill({ ...data, meta, metadata: JSON.stringify(meta, null, 2), failed: data.status === "failed" }));
  } else {
    const items = data[list.dataset.rows];
    list.replaceChildren(...items.map(fill));
    if (!items.length) {
      const cell = list.insertRow().insertCell();
      cell.colSpan = list.closest("table").tHead.rows[0].cells.length;
      cell.className = "quiet";
      cell.textContent = `No ${list.dataset.rows}.`;
    }
  }
  if (pages) showPages(data.pagination);
}

function showPages({ current_page: current, num_pages: last, pages_in_window: near, first_page, prev_page, next_page, last_page }) {
  const links = [["First", first_page], ["Previous", prev_page], ...near.map((p) => [p.number, p]), ["Next", next_page], ["Last", last_page]];
  pages.hidden = last < 2;
  pages.replaceChildren(...links.filter(([, there]) => there).map(([name, { url, number }]) => {
    const a = document.createElement("a");
    a.href = url;
    a.textContent = name;
    if (number === current) a.setAttribute("aria-current", "page");
    return a;
  }));
}

const STEPS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

function age() {
  for (const e of document.querySelectorAll("time")) {
    const seconds = (new Date(e.dateTime) - Date.now()) / 1000;
    const [unit, size] = STEPS.find(([, size]) => Math.abs(seconds) >= size) ?? STEPS.at(-1);
    e.textContent = Number.isNaN(seconds) ? "–" : words.format(Math.round(seconds / size), unit);
    e.title = Number.isNaN(seconds) ? "" : new Date(e.dateTime).toLocaleString();
  }
}

function say(id, what) {
  for (const e of document.querySelectorAll("#done, #said")) e.hidden = true;
  const place = document.getElementById(id);
  place.textContent = what;
  place.hidden = !what;
}

async function call(url, options) {
  const reply = await fetch(url, options);
  if (reply.status === 401) location.reload(); // leads to the login page, and back
  if (!reply.ok) throw new Error((await reply.json()).detail);
  return reply.text();
}

async function load() {
  const turn = ++asked;
  const data = await call(page.source);
  if (turn !== asked) return; // a newer answer is there already, or on its way
  if (data !== shown) { // else what is focused or selected would be lost for nothing
    show(JSON.parse(data));
    shown = data;
  }
  age();
}

async function turn() {
  try {
    if (refresh.checked || !shown) await load();
    if (lost) say("said", "");
    lost = false;
  } catch (problem) {
    say("said", problem.message);
    lost = true;
  }
  setTimeout(turn, Number(page.pollMs));
}

async function sure(what) {
  const dialog = document.getElementById("sure");
  document.getElementById("sure-what").textContent = what;
  dialog.returnValue = "no";
  dialog.showModal();
  await new Promise((closed) => dialog.addEventListener("close", closed, { once: true }));
  return dialog.returnValue === "yes";
}

document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-ask]");
  if (!button || (button.dataset.sure && !(await sure(button.dataset.sure)))) return;
  const { ask, id, done, then } = button.dataset;
  try {
    await call(link(ask, id), { method: "POST", headers: { "X-CSRF-Token": token } });
    if (then) return location.assign(then);
    say("done", `Job ${id} ${done}`);
    await load();
  } catch (problem) {
    say("said", problem.message);
  }
});

turn();
