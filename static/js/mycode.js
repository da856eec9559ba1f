/* 我的码: the personal code, renewed from the address that the page names. */

import { keepTurning, stayAwake } from "./turning.js";

for (const root of document.querySelectorAll("[data-turning]")) keepTurning(root);
stayAwake();
