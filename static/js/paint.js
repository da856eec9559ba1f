/* Rectangles over a photo that was sent already go in pixels of the photo; the server paints them. */

import { painting } from "./painting.js";

const form = document.getElementById("paint");
const image = form.querySelector("img");

image.decode().then(() => {
  const size = [image.naturalWidth, image.naturalHeight];
  const canvas = painting(image, size, form.querySelector("[data-undo]"), (boxes) => {
    form.elements.boxes.value = boxes.length ? JSON.stringify(boxes) : "";
  });
  image.hidden = true;
  image.after(canvas);
}).catch((problem) => console.info("photo not shown for painting:", problem.message));
