/* Scan result page: the same tap sent twice is one scan. The nonce stays with the claim until its answer has been seen. */

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
