/* The counter. A scan is stored on this device before it is sent, and removed only when the server has answered.
   Online it says who stands here; what then happens is chosen by a button. */

import { listenForBursts } from "./bursts.js";
import { inTurn } from "./inturn.js";
import { rememberStation, shelf } from "./shelf.js";

const desk = document.querySelector("[data-desk]");
const words = desk.dataset;
const form = desk.querySelector("[data-scanner-form]");
const input = desk.querySelector("[data-scanner-input]");
const csrf = document.querySelector("meta[name=csrf]").content;
const scans = shelf(words.station); // only this station's scans are sent from here
const ROWS = 100; // what the server takes at once

const onTheWay = new Set(); // nonces in an open request or about to be sent; they are not counted as waiting
const late = () => scans.late().filter(({ nonce }) => !onTheWay.has(nonce));

function showCount() {
  const count = late().length;
  const sign = document.querySelector("[data-desk-offline]");
  sign.querySelector("[data-desk-offline-count]").textContent = sign.dataset.text.replace("{n}", count);
  sign.hidden = count === 0;
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

/* Ask who this is. Without an answer the scan stays here, to become a check-in or check-out at the time it was made. */
const send = inTurn(async (row) => {
  showOwn(words.textSending);
  const { code, look, occurred_at, station_id } = row;
  try {
    const response = await fetch(words.scan, { method: "POST", headers: { "X-CSRF-Token": csrf, "X-Partial": "verdict" }, body: new URLSearchParams({ code, nonce: look, occurred_at, station_id }) });
    if (passing(response.status)) throw new Error(`status ${response.status}`);
    if (response.status === 401 || response.status === 403 || response.redirected) {
      scans.keep({ ...row, kept: true });
      showOwn(words.textSignedOut);
    } else {
      if (response.ok) showAnswer(await response.text());
      else showOwn(words.textRefused);
      scans.forget(row.nonce);
    }
  } catch (problem) {
    console.info("scan kept:", problem.message);
    scans.keep({ ...row, kept: true });
    showOwn(words.textKept, words.textKeptHint);
  }
  onTheWay.delete(row.nonce);
  showCount();
});

function take(code) {
  if (code) {
    const row = scans.add(code);
    onTheWay.add(row.nonce);
    send(row);
  }
  input.value = "";
  input.focus();
}

function showLate(row, result) {
  const late = desk.querySelector("[data-desk-late]");
  const line = document.createElement("li");
  const at = new Date(row.occurred_at).toLocaleTimeString(document.documentElement.lang, { timeZone: words.timeZone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  line.textContent = `${at} ${result.texts?.join(" ") || words.textRefused}`;
  late.querySelector("ul").append(line);
  late.hidden = false;
}

const uploaded = ({ turn, tab, kept, look, ...row }) => ({ ...row, offline: true });

async function sendLate() {
  const rows = late().slice(0, ROWS);
  if (!rows.length) return;
  for (const { nonce } of rows) onTheWay.add(nonce);
  try {
    const response = await fetch(words.batch, {
      method: "POST",
      headers: { "X-CSRF-Token": csrf, "Content-Type": "application/json", Accept: "application/json" },
      // The device's present time tells the server by how much the rows' times are wrong.
      body: JSON.stringify({ device_now: new Date().toISOString(), rows: rows.map(uploaded) }),
    });
    if (!response.ok) throw new Error(`status ${response.status}`);
    const { results } = await response.json();
    results.forEach((result, place) => {
      scans.forget(rows[place].nonce);
      if (result.status !== "ok") showLate(rows[place], result);
    });
  } catch (problem) {
    console.info("scans still waiting:", problem.message);
  }
  for (const { nonce } of rows) onTheWay.delete(nonce);
  showCount();
}

/* The field has the focus on load and after every tap that does not lead into another field. It opens no keyboard on
   the screen until somebody taps it to type. */
const WRITES = "input:not([type=radio], [type=checkbox], [type=hidden]), textarea, select";

function returnFocus() {
  if (document.activeElement?.matches(WRITES) || document.querySelector("dialog[open]")) return;
  input.focus({ preventScroll: true });
}

input.inputMode = "none";
input.addEventListener("pointerdown", () => { input.inputMode = "text"; });
input.addEventListener("blur", () => { input.inputMode = "none"; });
document.addEventListener("click", (event) => { if (event.detail > 0) setTimeout(returnFocus); }); // a key's click has no detail
document.addEventListener("partshown", returnFocus);

form.addEventListener("submit", (event) => {
  event.preventDefault();
  take(input.value.trim());
});
desk.addEventListener("timebank:scan", (event) => {
  event.preventDefault();
  take(event.detail.text);
});
listenForBursts(take);
addEventListener("online", sendLate);
setInterval(sendLate, 20000);
rememberStation(words.station);
for (const row of scans.left()) {
  onTheWay.add(row.nonce);
  send(row);
}
showCount();
sendLate();
returnFocus();
