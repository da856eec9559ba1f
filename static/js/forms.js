/* Small improvements on every page. Every form works without them. */

import "./undo.js";

const SEEN = 12000; // a toast stays long enough to be read twice

/* A form's submit buttons, including those outside it that name it. */
function submitting(form) {
  return [...form.elements].filter((one) => one.matches("button[type=submit]"));
}

/* One tap sends one request: submit buttons are disabled until the page changes or is shown again. */
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.method === "get" || event.target.matches("[data-download]")) return;
  const buttons = submitting(event.target);
  event.submitter?.setAttribute("aria-busy", "true");
  setTimeout(() => buttons.forEach((button) => { button.disabled = true; })); // later, because a disabled button's value is not sent
});
addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("button[aria-busy]")) {
    button.removeAttribute("aria-busy");
    submitting(button.form).forEach((other) => { other.disabled = false; });
  }
});

/* What waited on this phone for the network goes with whoever signs out. */
document.addEventListener("submit", ({ target }) => {
  if (target.getAttribute("action") === "/sign-out") globalThis.indexedDB?.deleteDatabase("timebank.reports");
});

/* Show an invalid field's message beside the field instead of the browser's bubble, which disappears. */
function sentence(input) {
  if (input.validity.valid) return "";
  return (input.validity.valueMissing ? input.dataset.missing : input.dataset.misfit) || input.validationMessage;
}
function showError(input) {
  const place = input.closest("[data-field]")?.querySelector("[data-field-error]");
  if (!place) return false;
  place.textContent = sentence(input);
  input.toggleAttribute("aria-invalid", !input.validity.valid);
  if (!input.validity.valid) input.setAttribute("aria-invalid", "true");
  return true;
}
document.addEventListener("invalid", (event) => {
  const input = event.target;
  if (!showError(input)) return;
  event.preventDefault();
  if (input.form.querySelector(":invalid:not(fieldset)") === input) input.focus();
}, true);
document.addEventListener("input", ({ target }) => {
  if (target.getAttribute("aria-invalid") === "true") showError(target);
});

/* How many: two large buttons around the number, also in a part of the page that a script shows later. */
function showSteps() {
  for (const button of document.querySelectorAll("[data-step]")) button.hidden = false;
}
showSteps();
document.addEventListener("partshown", showSteps);
document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-step]");
  if (!button) return;
  const input = button.closest("[data-quantity]").querySelector("input");
  if (button.dataset.step === "1") input.stepUp();
  else input.stepDown();
  input.dispatchEvent(new Event("input", { bubbles: true }));
});

/* Dialogs: opened with showModal instead of by the address's fragment; the browser handles Escape and focus. */
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  const closer = event.target.closest("[data-dialog-close]");
  if (!opener && !closer) return;
  event.preventDefault();
  if (opener) document.getElementById(opener.dataset.dialog).showModal();
  else closer.closest("dialog").close();
});

/* Menus close on a click outside them and on Escape; the panel's navigation starts folded on a phone. */
document.addEventListener("click", ({ target }) => {
  for (const menu of document.querySelectorAll("[data-menu][open]")) if (!menu.contains(target)) menu.open = false;
});
document.addEventListener("keydown", ({ key }) => {
  if (key !== "Escape") return;
  for (const menu of document.querySelectorAll("[data-menu][open]")) { menu.open = false; menu.querySelector("summary").focus(); }
});
const wide = matchMedia("(min-width: 900px)");
function fold() {
  for (const frame of document.querySelectorAll("[data-fold]")) frame.open = wide.matches;
}
wide.addEventListener("change", fold);
fold();

/* A filter applies when a choice is made. */
for (const filter of document.querySelectorAll("[data-filter]")) {
  filter.addEventListener("change", ({ target }) => { if (target.matches("select")) filter.requestSubmit(); });
}

/* The toast disappears by itself, but not while it is hovered or focused. */
for (const toast of document.querySelectorAll("[data-toast]")) {
  const close = toast.querySelector("[data-toast-close]");
  close.hidden = false;
  close.addEventListener("click", () => toast.remove());
  const leave = () => {
    if (toast.matches(":hover, :focus-within")) setTimeout(leave, 3000);
    else toast.remove();
  };
  if (!toast.querySelector("[data-undo-left]")) setTimeout(leave, SEEN); // an undo stays as long as it works
}

/* A number that has just grown counts up once. */
if (!matchMedia("(prefers-reduced-motion: reduce)").matches) {
  for (const place of document.querySelectorAll("[data-count-up]")) {
    const goal = place.textContent;
    const number = Number(goal.replaceAll(",", ""));
    const began = performance.now();
    const tick = (now) => {
      const part = Math.min(1, (now - began) / 700);
      place.textContent = part < 1 ? Math.round(number * (1 - (1 - part) ** 3)).toLocaleString("en-US") : goal;
      if (part < 1) requestAnimationFrame(tick);
    };
    if (Number.isFinite(number)) requestAnimationFrame(tick);
  }
}

/* The tab that is open is in sight, also where the row of tabs is wider than the screen. */
for (const tab of document.querySelectorAll(".tabs [aria-current]")) {
  tab.parentElement.scrollLeft = tab.offsetLeft - tab.parentElement.offsetLeft - 16;
}
