/* A picture that was chosen is shown at once and painted over before it is sent: its rectangles go beside it, in pixels
   of the canvas, with the canvas's size. Another picture begins anew; one that this browser cannot show is sent as it is. */

import { painting } from "./painting.js";

const SIDE_MAX = 1600; // pixels; as large as the server keeps a photo, and small enough for an old phone to draw

/* Browsers older than this show a phone's picture lying on its side, where a rectangle would be in the wrong place. */
const upright = globalThis.CSS?.supports("image-orientation", "from-image");

/* The picture within SIDE_MAX pixels, drawn once: a phone's 12 million pixels are not drawn for every move of a finger. */
async function small(file) {
  const image = new Image();
  image.src = URL.createObjectURL(file);
  try {
    await image.decode();
    const part = Math.min(1, SIDE_MAX / Math.max(image.naturalWidth, image.naturalHeight));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(image.naturalWidth * part));
    canvas.height = Math.max(1, Math.round(image.naturalHeight * part));
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    return canvas;
  } finally {
    URL.revokeObjectURL(image.src);
  }
}

function offer(place) {
  const field = place.querySelector("input");
  const input = field.form.querySelector("input[type=file]");
  const frame = place.querySelector("[data-picture]");
  const undo = place.querySelector("[data-undo]");
  let shown = null;

  async function chosen() {
    const file = input.files[0] ?? null;
    if (file === shown) return;
    shown = file;
    field.value = "";
    frame.replaceChildren();
    undo.hidden = true;
    place.hidden = true;
    if (!file) return;
    try {
      const picture = await small(file);
      if (file !== shown) return; // another was chosen meanwhile
      const size = [picture.width, picture.height];
      frame.append(painting(picture, size, undo, (boxes) => {
        field.value = boxes.length ? JSON.stringify({ size, boxes }) : "";
      }));
      place.hidden = false;
    } catch (problem) {
      console.info("picture not shown for painting:", problem.message);
    }
  }

  field.value = ""; // a browser that goes back fills it again
  input.addEventListener("change", chosen);
  addEventListener("pageshow", chosen);
  chosen();
}

if (upright) for (const place of document.querySelectorAll("[data-unsent]")) offer(place);
