/* Rectangles that a finger or a mouse draws over a photo are sent in pixels of the photo; the server paints them. */

const form = document.getElementById("paint");
const image = form.querySelector("img");
const undo = form.querySelector("[data-undo]");
const BOXES_MAX = 40;
const SMALL = 4; // pixels; less is a tap by mistake
const boxes = [];
let from = null;

image.decode().then(() => {
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  canvas.style.maxWidth = "100%";
  canvas.style.maxHeight = "70vh"; // room beside it to scroll the page
  canvas.style.touchAction = "none";
  image.hidden = true;
  image.after(canvas);
  const brush = canvas.getContext("2d");

  function draw(open = null) {
    brush.drawImage(image, 0, 0);
    for (const box of open ? [...boxes, open] : boxes) brush.fillRect(...box);
    form.elements.boxes.value = boxes.length ? JSON.stringify(boxes) : "";
    undo.hidden = boxes.length === 0;
  }

  function place(event) {
    const frame = canvas.getBoundingClientRect();
    const within = (at, length, pixels) => Math.round(Math.min(Math.max(at / length, 0), 1) * pixels);
    return [within(event.clientX - frame.left, frame.width, canvas.width), within(event.clientY - frame.top, frame.height, canvas.height)];
  }

  function box([x, y]) {
    return [Math.min(x, from[0]), Math.min(y, from[1]), Math.abs(x - from[0]), Math.abs(y - from[1])];
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (boxes.length >= BOXES_MAX) return;
    canvas.setPointerCapture(event.pointerId);
    from = place(event);
  });
  canvas.addEventListener("pointermove", (event) => { if (from) draw(box(place(event))); });
  canvas.addEventListener("pointerup", (event) => {
    if (!from) return;
    const drawn = box(place(event));
    from = null;
    if (drawn[2] >= SMALL && drawn[3] >= SMALL) boxes.push(drawn);
    draw();
  });
  canvas.addEventListener("pointercancel", () => { from = null; draw(); });
  undo.addEventListener("click", () => { boxes.pop(); draw(); });
  draw();
}).catch((problem) => console.info("photo not shown for painting:", problem.message));
