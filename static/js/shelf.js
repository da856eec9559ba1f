/* Scans that wait on this device: one entry of localStorage each, so that two open pages never overwrite each other.
   A scan is here before it is sent, and leaves when the server has answered. `look` is the nonce of asking who it is;
   `nonce` that of the check-in or check-out which the scan becomes where the network is away (`kept`). */

import { newNonce } from "./nonce.js";

const PREFIX = "timebank.scan.";
const CURRENT = 60000; // milliseconds for which another page of this device may still be busy with its scan

const tab = (sessionStorage["timebank.tab"] ||= newNonce());

export const stationOfThisTab = () => sessionStorage["timebank.station"] ?? "";
export const rememberStation = (station) => { sessionStorage["timebank.station"] = station; };

/** The scans of a station on this device, in the order in which they were made. */
export function shelf(station) {
  const prefix = `${PREFIX}${station}.`;
  const keep = (scan) => localStorage.setItem(prefix + scan.nonce, JSON.stringify(scan));
  const all = () => Object.keys(localStorage)
    .filter((key) => key.startsWith(prefix))
    .map((key) => JSON.parse(localStorage.getItem(key)))
    .sort((one, other) => (one.turn ?? 0) - (other.turn ?? 0) || one.occurred_at.localeCompare(other.occurred_at));
  // The turn keeps scans in the order in which they were made even if the device's clock changes.
  const nextTurn = () => 1 + Math.max(0, ...all().map((scan) => scan.turn ?? 0));
  const isRecent = (scan) => Date.now() - Date.parse(scan.occurred_at) < CURRENT;
  return {
    keep,
    forget: (nonce) => localStorage.removeItem(prefix + nonce),
    /** Store a scan that is about to be sent. */
    add(code) {
      const scan = { code, nonce: newNonce(), look: newNonce(), occurred_at: new Date().toISOString(), station_id: station, turn: nextTurn(), tab };
      keep(scan);
      return scan;
    },
    /** Scans whose answer this tab has not seen because its page was left meanwhile. */
    left: () => all().filter((scan) => !scan.kept && scan.tab === tab && isRecent(scan)),
    /** Scans to upload as check-ins and check-outs: there was no network, or their page was closed. */
    late: () => all().filter((scan) => scan.kept || !isRecent(scan)),
  };
}
