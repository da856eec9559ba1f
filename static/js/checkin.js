/* Check-in page: the nonce is kept for the claim until the answer was shown, so a form sent twice is one scan. */

import { newNonce } from "./nonce.js";

const keyOf = (claim) => `timebank.nonce.${claim}`;

for (const form of document.querySelectorAll("form[data-checkin]")) {
  const key = keyOf(form.dataset.checkin);
  const nonce = sessionStorage.getItem(key) || newNonce();
  sessionStorage.setItem(key, nonce);
  form.elements.namedItem("nonce").value = nonce;
}

for (const answer of document.querySelectorAll("[data-checkin-answered]")) {
  sessionStorage.removeItem(keyOf(answer.dataset.checkinAnswered));
}
