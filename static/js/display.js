/* The station's display: the turning code, the server's time, recent check-ins. */

import { keepTurning, stayAwake } from "./turning.js";

const wall = document.querySelector("[data-display]");
const clock = wall.querySelector("[data-clock]");
const present = wall.querySelector("[data-present]");
const recent = wall.querySelector("[data-recent]");
const recentFrame = wall.querySelector("[data-recent-frame]");
const time = new Intl.DateTimeFormat(document.documentElement.lang, { timeZone: wall.dataset.timeZone, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

const { serverNow } = keepTurning(wall.querySelector("[data-turning]"), (answer) => {
  if (present && answer.present !== undefined) present.textContent = answer.present;
  if (!recent || !answer.recent) return;
  recentFrame.hidden = answer.recent.length === 0;
  recent.replaceChildren(...answer.recent.flatMap(({ name, at }) => {
    const visit = document.createElement("span");
    visit.textContent = `${name} ${at}`;
    return [visit, " "];
  }));
});

setInterval(() => { clock.textContent = time.format(serverNow()); }, 250);
stayAwake();
