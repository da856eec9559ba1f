/* How long an undo still works: its button counts the seconds down and then leaves its place empty, so that nothing moves.
   The seconds are not read out; the button's name says that it is for a minute. */

function end(button) {
  const whole = button.closest("[data-toast]") ?? button;
  const dialog = document.getElementById(button.dataset.dialog);
  const focused = [whole, dialog].some((one) => one?.contains(document.activeElement));
  whole.classList.add("is-over");
  whole.inert = true;
  if (dialog?.open) dialog.close();
  if (!focused) return;
  const next = document.querySelector("[data-scanner-input]") ?? document.querySelector("main");
  if (next.matches("main")) next.tabIndex = -1;
  next.focus({ preventScroll: true });
}

function count(button) {
  const until = Date.now() + Number(button.dataset.undoWithin) * 1000;
  const seconds = button.querySelector("[data-undo-left]");
  button.removeAttribute("data-undo-within");
  const tick = () => {
    if (!button.isConnected) return;
    const left = Math.ceil((until - Date.now()) / 1000);
    if (left <= 0) {
      end(button);
      return;
    }
    seconds.textContent = seconds.dataset.undoLeft.replace("{n}", left);
    setTimeout(tick, 1000 - ((left * 1000 - (until - Date.now())) % 1000));
  };
  tick();
}

const showAll = () => document.querySelectorAll("[data-undo-within]").forEach(count);
showAll();
document.addEventListener("partshown", showAll);
