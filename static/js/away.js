/* On the counter's other pages a scan leads back to the counter, which takes it up. */

import { listenForBursts } from "./bursts.js";
import { shelf, stationOfThisTab } from "./shelf.js";

listenForBursts((code) => {
  const station = stationOfThisTab();
  if (!station) return;
  shelf(station).add(code);
  location.assign(`/desk?station=${encodeURIComponent(station)}`);
});
