/* The inbox by keyboard: j and k move, x selects, a approves, u undoes, Enter opens. On the page of one of its rows j and k
   go to the next and to the previous one. */

const form = document.querySelector("[data-inbox]");
const items = [...document.querySelectorAll("[data-item]")];
const boxes = items.map((item) => item.querySelector('input[name="id"]'));
const every = document.querySelector("[data-select-every]");
const whole = document.querySelector("[data-select-page]");
let at = -1;

function stand(next) {
  if (!items.length) return;
  items[at]?.classList.remove("is-here");
  at = Math.max(0, Math.min(items.length - 1, next));
  items[at].classList.add("is-here");
  items[at].querySelector("[data-open]").focus({ preventScroll: true });
  items[at].scrollIntoView({ block: "nearest" });
}

function free() {
  return boxes.filter((box) => box && !box.disabled);
}

if (whole) {
  whole.hidden = false;
  const box = whole.querySelector("input");
  box.addEventListener("change", () => free().forEach((one) => { one.checked = box.checked; }));
  every.addEventListener("change", () => {
    box.checked = every.checked;
    free().forEach((one) => { one.checked = every.checked; });
  });
  form.addEventListener("change", ({ target }) => {
    if (target.name === "id" && !target.checked) every.checked = box.checked = false;
  });
}

function approve() {
  const button = form?.querySelector('button[value="approve"]');
  if (!button) return;
  if (!every.checked && !free().some((box) => box.checked)) {
    if (!boxes[at] || boxes[at].disabled) return;
    boxes[at].checked = true;
  }
  form.requestSubmit(button);
}

const undo = document.querySelector("[data-toast]:has([data-undo-left])");
const follow = (name) => document.querySelector(`[data-beside] [data-${name}]`)?.click();
const verbs = {
  j: () => (form ? stand(at + 1) : follow("next")),
  k: () => (form ? stand(at - 1) : follow("previous")),
  x: () => boxes[at] && !boxes[at].disabled && boxes[at].click(),
  a: approve,
  u: () => !undo?.inert && undo?.querySelector("form").requestSubmit(),
};

document.addEventListener("keydown", (event) => {
  const typing = event.target.matches('input:not([type="checkbox"]), textarea, select, dialog *');
  if (typing || event.ctrlKey || event.metaKey || event.altKey || !verbs[event.key]) return;
  event.preventDefault();
  verbs[event.key]();
});
