/* A report that could not be sent waits on this phone, encrypted with a key that only its reporter's own pages hold, and
   is sent once: its nonce was made with the form, and the server receives a nonce once. */

const place = document.querySelector("[data-reports]");
const words = place.dataset;
const csrf = document.querySelector("meta[name=csrf]").content;
const form = document.getElementById("report");
const STORE = "waiting";
const KEPT_MAX = 30 * 86_400_000; // milliseconds; the server takes nothing that old, and it is not kept for ever
const PATIENCE = 60_000;

/* Without these, as on a page that is not encrypted on its way, every form is sent as without a script. */
const able = Boolean(globalThis.indexedDB && crypto.subtle && words.key);

const settled = (asked) => new Promise((done, fail) => {
  asked.onsuccess = () => done(asked.result);
  asked.onerror = () => fail(asked.error);
});

async function inStore(mode, run) {
  const opening = indexedDB.open("timebank.reports", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: "nonce" });
  const base = await settled(opening);
  try {
    return await settled(run(base.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    base.close();
  }
}

const key = () => crypto.subtle.importKey("raw", Uint8Array.from(atob(words.key), (c) => c.charCodeAt(0)), "AES-GCM", false, ["encrypt", "decrypt"]);

/* The words and the picture of a report in one sealed block: the length of the words, the words, the picture. */
async function keep(nonce, said, picture) {
  const text = new TextEncoder().encode(JSON.stringify(said));
  const whole = new Uint8Array(4 + text.length + picture.length);
  new DataView(whole.buffer).setUint32(0, text.length);
  whole.set(text, 4);
  whole.set(picture, 4 + text.length);
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await key(), whole);
  await inStore("readwrite", (store) => store.put({ nonce, owner: words.owner, at: Date.now(), iv, sealed }));
}

async function opened(row) {
  const whole = new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv: row.iv }, await key(), row.sealed));
  const length = new DataView(whole.buffer).getUint32(0);
  return { ...row, said: JSON.parse(new TextDecoder().decode(whole.slice(4, 4 + length))), picture: whole.slice(4 + length) };
}

const forget = (nonce) => inStore("readwrite", (store) => store.delete(nonce));

/* What waits here of whoever reads this page; what is too old goes, whoever wrote it. */
async function waiting() {
  const mine = [];
  for (const row of await inStore("readonly", (store) => store.getAll())) {
    if (Date.now() - row.at > KEPT_MAX) await forget(row.nonce);
    else if (row.owner === words.owner) await opened(row).then((one) => mine.push(one), () => forget(row.nonce));
  }
  return mine.sort((one, other) => one.at - other.at);
}

/* Whether the failure passes by itself: a server that is down or busy, a session that has ended. */
const passing = (status) => status >= 500 || status === 408 || status === 401;

/* Send a report: where its receipt is, why it was refused, or neither where it waits on. */
async function send({ said, picture, at }, again) {
  const body = new FormData();
  for (const [name, value] of said.fields) body.append(name, value);
  if (again) body.set("written_at", new Date(at).toISOString());
  if (picture.length) body.append("photo", new Blob([picture], { type: said.type }), said.name);
  try {
    const response = await fetch("/matters/new", { method: "POST", body, headers: { "X-CSRF-Token": csrf, Accept: "application/json" }, signal: AbortSignal.timeout(PATIENCE) });
    const { pathname, search } = new URL(response.url);
    if (response.ok && response.redirected && pathname.startsWith("/matters/")) return { sent: pathname + search };
    if (response.ok || passing(response.status)) return {};
    return { refused: (await response.json()).detail ?? words.textRefused, status: response.status };
  } catch (problem) {
    console.info("report kept:", problem.message);
    return {};
  }
}

function line(row) {
  const part = place.querySelector("template").content.cloneNode(true);
  part.querySelector("[data-what]").textContent = row.said.what;
  part.querySelector("[data-said]").textContent = row.said.words;
  part.querySelector("[data-why]").textContent = row.said.refused ?? words.textWaits;
  part.querySelector("[data-again]").addEventListener("click", () => sendAll(row.nonce));
  part.querySelector("[data-discard]").addEventListener("click", async () => { await forget(row.nonce); show(); });
  return part;
}

async function show() {
  const rows = await waiting();
  place.querySelector("[data-count]").textContent = words.textCount.replace("{n}", rows.length);
  place.querySelector("[data-rows]").replaceChildren(...rows.map(line));
  place.hidden = rows.length === 0;
}

let busy = false;

/* Send what waits, one after the other. What was refused is sent again only when the person says so. */
async function sendAll(chosen = null) {
  if (busy) return;
  busy = true;
  let receipt = null;
  try {
    for (const row of await waiting()) {
      if (chosen ? row.nonce !== chosen : row.said.refused) continue;
      const answer = await send(row, true);
      if (answer.sent) {
        await forget(row.nonce);
        receipt = answer.sent;
      } else if (answer.refused) await keep(row.nonce, { ...row.said, refused: answer.refused }, row.picture);
    }
    await show();
  } finally {
    busy = false;
  }
  if (receipt && form?.closest(".card").hidden) location.assign(receipt); // it was this form's
  else if (receipt && location.pathname === "/matters") location.reload();
}

/* The report is kept before it is sent, so that closing the page loses nothing. */
async function submitted(event) {
  event.preventDefault();
  form.querySelector("button[type=submit]").disabled = true;
  const fields = new FormData(form);
  const photo = fields.get("photo");
  const nonce = fields.get("nonce");
  const plain = [...fields].filter(([name, value]) => typeof value === "string" && !["_csrf", "_key"].includes(name));
  const said = { fields: plain, what: words.what, words: fields.get("said"), name: photo?.name ?? "", type: photo?.type ?? "" };
  busy = true;
  try {
    const row = { said, at: Date.now(), picture: new Uint8Array(photo?.size ? await photo.arrayBuffer() : []) };
    await keep(nonce, said, row.picture);
    const answer = await send(row, false);
    if (answer.sent || (answer.refused && answer.status !== 429)) {
      await forget(nonce);
      if (answer.sent) location.assign(answer.sent);
      else form.submit(); // refused again, and shown in the form with what was typed
      return;
    }
    if (answer.refused) await keep(nonce, { ...said, refused: answer.refused }, row.picture);
  } catch (problem) { // no room on this phone: as without a script
    console.info("report not kept:", problem.message);
    form.submit();
    return;
  } finally {
    busy = false;
  }
  form.closest(".card").hidden = true;
  await show();
  place.scrollIntoView({ block: "nearest" });
}

if (able) {
  form?.addEventListener("submit", submitted);
  addEventListener("online", () => sendAll());
  setInterval(sendAll, 20_000);
  show().then(() => sendAll());
}
