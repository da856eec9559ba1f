/* A code that is renewed on the display (display.js) or on a phone (mycode.js). An expired code is never shown. */

const HURRY = 60; // milliseconds after the step, so that the server already gives the next code
const PATIENCE = [1000, 2000, 4000, 8000, 10000];

/** Renew the code inside `root`; `onAnswer(answer)` gets every answer. Returns {serverNow}: the server's time. */
export function keepTurning(root, onAnswer = () => {}) {
  const image = root.querySelector("[data-turning-image]");
  const gone = root.querySelector("[data-turning-gone]");
  const ring = root.querySelector("[data-turning-ring]");
  const after = root.querySelector("[data-turning-after]");
  let ahead = 0; // server time minus device time, in milliseconds
  let step = 15000;
  let next = 0; // server time of the next code
  let expires = Date.parse(root.dataset.expires); // server time at which the shown code expires
  let failures = 0;
  let timer = 0;

  const serverNow = () => Date.now() + ahead;

  async function ask() {
    clearTimeout(timer);
    try {
      const sent = Date.now();
      const response = await fetch(root.dataset.source, { headers: { Accept: "application/json" }, cache: "no-store", signal: timeout(8000) });
      if (!response.ok) throw new Error(`status ${response.status}`);
      const answer = await response.json();
      ahead = Date.parse(answer.server_time) - (sent + Date.now()) / 2;
      await show(answer);
      failures = 0;
      onAnswer(answer);
      timer = setTimeout(ask, Math.max(300, next - serverNow() + HURRY));
    } catch (problem) {
      console.info("code not renewed:", problem.message);
      timer = setTimeout(ask, PATIENCE[Math.min(failures++, PATIENCE.length - 1)]);
    }
    draw();
  }

  // The picture is decoded before it replaces the old one, to avoid flicker.
  async function show(answer) {
    const fresh = new Image();
    fresh.src = answer.svg_url || answer.png_url;
    await fresh.decode();
    step = answer.step_seconds * 1000;
    next = (Math.floor(serverNow() / step) + 1) * step;
    expires = Date.parse(answer.expires_at);
    image.src = fresh.src;
  }

  function draw() {
    const worthless = serverNow() >= expires;
    const late = failures > 0;
    image.classList.toggle("is-waiting", worthless);
    gone.hidden = !(worthless && late);
    const left = Math.max(0, next - serverNow());
    ring.classList.toggle("is-fresh", left > step - 1500);
    ring.setAttribute("stroke-dashoffset", String(-100 * (1 - left / step)));
    after.textContent = late ? root.dataset.textReconnecting : root.dataset.textAfter.replace("{n}", Math.ceil(left / 1000));
  }

  setInterval(draw, 250);
  addEventListener("online", ask);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
  ask();
  return { serverNow };
}

function timeout(milliseconds) {
  const stop = new AbortController();
  setTimeout(() => stop.abort(), milliseconds);
  return stop.signal;
}

/** Ask for a screen wake lock while this page is visible, where the browser supports it. */
export function stayAwake() {
  const ask = () => {
    if (!document.hidden && "wakeLock" in navigator) navigator.wakeLock.request("screen").catch(() => {});
  };
  document.addEventListener("visibilitychange", ask);
  ask();
}
