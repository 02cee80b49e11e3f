// The browser's tab: its title and its sign say how it stands, also when nobody looks at the page.

import { at } from "./element.js";
import { words } from "./language.js";

/** A sign for each state, and its colour: they are read on any ground. */
const SIGNS = { idle: ["≈", "#0b5c8c"], checking: ["…", "#7a4fb5"], sound: ["✓", "#0072b2"], damaged: ["✗", "#c44900"], inconclusive: ["?", "#8a6500"], none: ["–", "#59646d"] };

/** Shows a state, `idle`, `checking`, `none` or a verdict, and what there is to say of it. */
export function tab(state, what = "") {
    const [sign, colour] = SIGNS[state];
    document.title = what === "" ? words.title : `${sign} ${what} · Highwater`;
    const drawn = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="${colour}"/><text x="16" y="24" font-size="24" font-family="sans-serif" text-anchor="middle" fill="#fff">${sign}</text></svg>`;
    at("sign").href = `data:image/svg+xml,${encodeURIComponent(drawn)}`;
}
