/* A picture on which a finger or a mouse draws rectangles, in pixels of the canvas that shows it. */

const BOXES_MAX = 40;
const SMALL = 4; // pixels; less is a tap by mistake

/* Returns the canvas. `undo` is the button that takes the last rectangle away; `changed` is given the rectangles. */
export function painting(picture, [width, height], undo, changed) {
  const canvas = document.createElement("canvas");
  const brush = canvas.getContext("2d");
  const boxes = [];
  let from = null;
  canvas.width = width;
  canvas.height = height;
  canvas.style.maxWidth = "100%";
  canvas.style.maxHeight = "70vh"; // room beside it to scroll the page
  canvas.style.touchAction = "none";

  function draw(open = null) {
    brush.clearRect(0, 0, width, height); // a picture may be transparent
    brush.drawImage(picture, 0, 0, width, height);
    for (const box of open ? [...boxes, open] : boxes) brush.fillRect(...box);
  }

  function settle() {
    draw();
    undo.hidden = boxes.length === 0;
    changed(boxes);
  }

  function place(event) {
    const frame = canvas.getBoundingClientRect();
    const within = (at, length, pixels) => Math.round(Math.min(Math.max(at / length, 0), 1) * pixels);
    return [within(event.clientX - frame.left, frame.width, width), within(event.clientY - frame.top, frame.height, height)];
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
    settle();
  });
  canvas.addEventListener("pointercancel", () => { from = null; draw(); });
  undo.onclick = () => { boxes.pop(); settle(); };
  settle();
  return canvas;
}
