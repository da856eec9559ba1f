/* The counter. A scan is stored on this device before it is sent, and removed only when the server has answered. */

import { newNonce } from "./nonce.js";

const desk = document.querySelector("[data-desk]");
const words = desk.dataset;
const form = desk.querySelector("[data-scanner-form]");
const input = desk.querySelector("[data-scanner-input]");
const csrf = document.querySelector("meta[name=csrf]").content;
const SHELF = `timebank.scan.${words.station}.`; // only this station's scans are sent from here
const ROWS = 100; // what the server takes at once

/* Waiting scans in localStorage: one entry each, so that two open pages never overwrite each other. */
const keep = (scan) => localStorage.setItem(SHELF + scan.nonce, JSON.stringify(scan));
const forget = (nonce) => localStorage.removeItem(SHELF + nonce);
const waiting = () => Object.keys(localStorage)
  .filter((key) => key.startsWith(SHELF))
  .map((key) => JSON.parse(localStorage.getItem(key)))
  .sort((one, other) => (one.turn ?? 0) - (other.turn ?? 0) || one.occurred_at.localeCompare(other.occurred_at));

/* The next sequence number: it keeps scans in the order in which they were made even if the device's clock changes. */
const nextTurn = () => 1 + Math.max(0, ...waiting().map((scan) => scan.turn ?? 0));
const sent = ({ turn, ...scan }) => scan;

const onTheWay = new Set(); // nonces in an open request; they are not counted as waiting

function showCount() {
  const late = waiting().filter(({ nonce }) => !onTheWay.has(nonce)).length;
  const sign = document.querySelector("[data-desk-offline]");
  sign.querySelector("[data-desk-offline-count]").textContent = sign.dataset.text.replace("{n}", late);
  sign.hidden = late === 0;
}

/* Show a message of this page, and remove the last person, so that nobody is served in another's name. */
function showOwn(word, hint = "") {
  const own = desk.querySelector("template[data-desk-kept]").content.cloneNode(true);
  own.querySelector("[data-word]").textContent = word;
  own.querySelector("[data-hint]").textContent = hint;
  desk.querySelector('[data-desk-slot="verdict"]').replaceChildren(own);
  desk.querySelector('[data-desk-slot="person"]')?.replaceChildren();
  showVerdict();
}

/* On a phone the verdict is below the scanner: scroll it into view. */
function showVerdict() {
  desk.querySelector('[data-desk-slot="verdict"]').scrollIntoView({ block: "nearest" });
}

/* Fill the slots that the answer names; an answer without slots is the verdict. */
function showAnswer(html) {
  const answer = new DOMParser().parseFromString(html, "text/html").body;
  const parts = [...answer.querySelectorAll("[data-desk-slot]")];
  for (const part of parts) desk.querySelector(`[data-desk-slot="${part.dataset.deskSlot}"]`)?.replaceChildren(...part.childNodes);
  if (!parts.length) desk.querySelector('[data-desk-slot="verdict"]').replaceChildren(...answer.childNodes);
  document.dispatchEvent(new Event("partshown"));
  showVerdict();
}

/* Whether the failure is temporary (server down, too busy), so that the scan is kept and sent again. */
const passing = (status) => status >= 500 || status === 429 || status === 408;

async function scan(code) {
  const extra = Object.fromEntries([...new FormData(form)].filter(([name]) => !["_csrf", "code", "nonce"].includes(name)));
  const row = { ...extra, code, nonce: newNonce(), occurred_at: new Date().toISOString(), turn: nextTurn() };
  keep(row);
  onTheWay.add(row.nonce);
  showOwn(words.textSending);
  try {
    const response = await fetch(words.scan, { method: "POST", headers: { "X-CSRF-Token": csrf, "X-Partial": "verdict" }, body: new URLSearchParams(sent(row)) });
    if (passing(response.status)) throw new Error(`status ${response.status}`);
    if (response.status === 401 || response.status === 403 || response.redirected) {
      showOwn(words.textSignedOut);
    } else {
      if (response.ok) showAnswer(await response.text());
      else showOwn(words.textRefused);
      forget(row.nonce);
    }
  } catch (problem) {
    console.info("scan kept:", problem.message);
    showOwn(words.textKept, words.textKeptHint);
  }
  onTheWay.delete(row.nonce);
  showCount();
}

function showLate(row, result) {
  const late = desk.querySelector("[data-desk-late]");
  const line = document.createElement("li");
  const at = new Date(row.occurred_at).toLocaleTimeString(document.documentElement.lang, { timeZone: words.timeZone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  line.textContent = `${at} ${result.texts?.join(" ") || words.textRefused}`;
  late.querySelector("ul").append(line);
  late.hidden = false;
}

async function sendLate() {
  const rows = waiting().filter(({ nonce }) => !onTheWay.has(nonce)).slice(0, ROWS);
  if (!rows.length) return;
  for (const { nonce } of rows) onTheWay.add(nonce);
  try {
    const response = await fetch(words.batch, {
      method: "POST",
      headers: { "X-CSRF-Token": csrf, "Content-Type": "application/json", Accept: "application/json" },
      // The device's present time tells the server by how much the rows' times are wrong.
      body: JSON.stringify({ device_now: new Date().toISOString(), rows: rows.map((row) => ({ ...sent(row), offline: true })) }),
    });
    if (!response.ok) throw new Error(`status ${response.status}`);
    const { results } = await response.json();
    results.forEach((result, place) => {
      forget(rows[place].nonce);
      if (result.status !== "ok") showLate(rows[place], result);
    });
  } catch (problem) {
    console.info("scans still waiting:", problem.message);
  }
  for (const { nonce } of rows) onTheWay.delete(nonce);
  showCount();
}

function take(code) {
  if (code) scan(code);
  input.value = "";
  input.focus();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  take(input.value.trim());
});
desk.addEventListener("timebank:scan", (event) => {
  event.preventDefault();
  take(event.detail.text);
});
addEventListener("online", sendLate);
setInterval(sendLate, 20000);
showCount();
sendLate();
