/* The nonce that makes a scan idempotent: 192 random bits, made by the device before it sends anything. */

export function newNonce() {
  const bytes = crypto.getRandomValues(new Uint8Array(24));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
}
