/* Reads a code by camera, from a photo or as typed, and submits the scanner's form. Fetches nothing from another host. */

const PAUSE = 120; // milliseconds between two video frames that are read
const AGAIN = 4000; // milliseconds after which the same code counts as a new one

let reader;

/** The browser's own reader if it supports QR codes, else the one in /static/vendor. */
function qrReader() {
  reader ||= (async () => {
    const native = globalThis.BarcodeDetector;
    if (native && (await native.getSupportedFormats()).includes("qr_code")) return new native({ formats: ["qr_code"] });
    const vendored = await import("/static/vendor/barcode-detector-3.2.2/ponyfill.js");
    vendored.prepareZXingModule({ overrides: { locateFile: (name) => `/static/vendor/zxing-wasm-3.1.3/${name}` } });
    return new vendored.BarcodeDetector({ formats: ["qr_code"] });
  })();
  return reader;
}

/** Start a scanner in `root`; it calls `onText(text)` once for each code. Returns {start, stop}. */
export function openScanner(root, onText) {
  const part = (name) => root.querySelector(`[data-scanner-${name}]`);
  const [view, video, status, startButton, stopButton] = ["view", "video", "status", "start", "stop"].map(part);
  const words = root.dataset;
  let stream = null;
  let wanted = 0; // counts starts and stops, so that an answer to an earlier start is ignored
  let last = { text: "", at: 0 };

  const say = (text) => { status.textContent = text; status.hidden = !text; };

  function found(text) {
    const now = Date.now();
    const repeated = text === last.text && now - last.at < AGAIN;
    last = { text, at: now };
    if (repeated) return;
    say(words.textRead);
    if (navigator.vibrate) navigator.vibrate(60);
    onText(text);
  }

  async function start() {
    const turn = ++wanted;
    startButton.hidden = true;
    say(words.textOpening);
    try {
      const opened = await navigator.mediaDevices.getUserMedia({ audio: false, video: { facingMode: { ideal: "environment" }, width: { ideal: 1280 } } });
      if (turn !== wanted) { release(opened); return; }
      stream = opened;
      video.srcObject = stream;
      view.hidden = stopButton.hidden = false;
      await video.play();
      say(words.textAim);
      await look(turn, await qrReader());
    } catch (problem) {
      if (turn !== wanted) return;
      stop();
      say(problem.name === "NotAllowedError" ? words.textDenied : words.textNone);
    }
  }

  async function look(turn, detector) {
    while (turn === wanted) {
      if (!document.hidden && video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) {
        const [code] = await detector.detect(video);
        if (code && turn === wanted) found(code.rawValue);
      }
      await new Promise((later) => setTimeout(later, PAUSE));
    }
  }

  function stop() {
    wanted++;
    if (stream) release(stream);
    stream = null;
    view.hidden = stopButton.hidden = true;
    startButton.hidden = !navigator.mediaDevices;
    say("");
  }

  async function readPhoto(input) {
    const [file] = input.files;
    if (!file) return;
    try {
      const [code] = await (await qrReader()).detect(await createImageBitmap(file));
      if (code) found(code.rawValue);
      else say(words.textUnread);
    } catch (problem) {
      console.info("photo not read:", problem.message);
      say(words.textUnread);
    }
    input.value = "";
  }

  part("tools").hidden = false;
  startButton.hidden = !navigator.mediaDevices;
  startButton.addEventListener("click", start);
  stopButton.addEventListener("click", stop);
  part("photo").addEventListener("change", (event) => readPhoto(event.target));
  addEventListener("pagehide", stop);
  if ("start" in words && navigator.mediaDevices) start();
  return { start, stop };
}

function release(stream) {
  for (const track of stream.getTracks()) track.stop();
}

/* The path of a code's link, whatever host it was printed with. It is opened on this host, which checks the signature. */
function pathOf(text) {
  try {
    return new URL(text).pathname.match(/\/[cpk]\/[\w-]+$/)?.[0] ?? "";
  } catch {
    return "";
  }
}

/* Dispatch an event for a code that was read. Unless a listener takes it, open a station's code and post any other. */
for (const root of document.querySelectorAll("[data-scanner]")) {
  const scanner = openScanner(root, (text) => {
    const free = root.dispatchEvent(new CustomEvent("timebank:scan", { bubbles: true, cancelable: true, detail: { text } }));
    if (!free) return;
    if ("follow" in root.dataset && pathOf(text).startsWith(root.dataset.follow)) {
      scanner.stop();
      location.assign(pathOf(text));
      return;
    }
    root.querySelector("[data-scanner-input]").value = text;
    root.querySelector("[data-scanner-form]").requestSubmit();
  });
}
