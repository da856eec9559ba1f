/* A keeper's own code or card, scanned anywhere on the page that asks who serves at this counter. */

import { listenForBursts } from "./bursts.js";

const form = document.getElementById("own-code");
if (form) {
  listenForBursts((code) => {
    form.elements.code.value = code;
    form.requestSubmit();
  });
}
