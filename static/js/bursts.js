/* What a barcode scanner types, wherever the focus is: keys that follow each other faster than anybody types. */

const GAP = 50; // milliseconds between two keys of a scanner, at most
const PAUSE = 800; // after such a pause a scanner that sends no Enter has ended
const LEAST = 6; // characters of the shortest code

/* What the keys of a scanner's (US) keyboard write where an input method takes the keys and hides their characters. */
const PLAIN = { Minus: "-", Equal: "=", BracketLeft: "[", BracketRight: "]", Backslash: "\\", Semicolon: ";", Quote: "'", Comma: ",", Period: ".", Slash: "/", Backquote: "`", Space: " " };
const SHIFTED = { Minus: "_", Equal: "+", BracketLeft: "{", BracketRight: "}", Backslash: "|", Semicolon: ":", Quote: '"', Comma: "<", Period: ">", Slash: "?", Backquote: "~", Space: " " };
const SHIFTED_DIGITS = ")!@#$%^&*(";

/** The character of a key: the one it wrote, or under an input method the one of the physical key. "" for other keys. */
export function characterOf(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return "";
  if (event.key.length === 1 && !event.isComposing) return event.key;
  if (!event.isComposing && event.key !== "Process" && event.key !== "Unidentified") return "";
  const letter = /^Key([A-Z])$/.exec(event.code)?.[1];
  if (letter) return event.shiftKey === event.getModifierState("CapsLock") ? letter.toLowerCase() : letter;
  const digit = /^(Digit|Numpad)([0-9])$/.exec(event.code);
  if (digit) return event.shiftKey && digit[1] === "Digit" ? SHIFTED_DIGITS[digit[2]] : digit[2];
  return (event.shiftKey ? SHIFTED : PLAIN)[event.code] ?? "";
}

const isAddress = (text) => /^https?:\/\//i.test(text);
const isEnter = (event) => event.code === "Enter" || event.code === "NumpadEnter" || event.key === "Enter";

/** Call `onText(text)` for each scan. The field that had the focus is as it was before the scan. */
export function listenForBursts(onText) {
  let keys = [];
  let lastAt = -Infinity;
  let before = null; // the field that had the focus at the first key, and what stood in it
  let ending = 0;

  function begin() {
    const element = document.activeElement;
    keys = [];
    before = element && "value" in element && !element.matches("button") ? { element, value: element.value } : null;
  }

  function end() {
    clearTimeout(ending);
    const text = keys.join("").trim();
    const field = before;
    keys = [];
    lastAt = -Infinity;
    before = null;
    if (text.length < LEAST) return false;
    // A wireless scanner may pause within a code: the beginning then stands in the field already.
    const whole = field ? field.value + text : text;
    const paused = isAddress(whole) && !isAddress(text);
    if (field) putBack(paused ? { element: field.element, value: "" } : field);
    onText(paused ? whole : text);
    return true;
  }

  document.addEventListener("keydown", (event) => {
    if (event.repeat || ["Shift", "CapsLock"].includes(event.key)) return;
    const fast = event.timeStamp - lastAt <= GAP;
    if (isEnter(event)) {
      if (!fast || !end()) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    const character = characterOf(event);
    if (!character || !fast) begin();
    if (!character) { lastAt = -Infinity; return; }
    keys.push(character);
    lastAt = event.timeStamp;
    clearTimeout(ending);
    ending = setTimeout(end, PAUSE);
  }, true);
}

/* An input method may still write what it has composed: it is ended first, and looked after once more. */
function putBack({ element, value }) {
  const restore = () => {
    if (element.value === value) return;
    element.value = value;
    element.dispatchEvent(new Event("input", { bubbles: true }));
  };
  element.addEventListener("compositionend", () => setTimeout(restore), { once: true });
  element.blur();
  restore();
  setTimeout(restore);
}
