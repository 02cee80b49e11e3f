// What is long is folded: the first of it, and a button for the rest.

import { make } from "./element.js";
import { words } from "./language.js";

/** How many of several that are alike are named, until all are asked for. */
export const PLACES = 5;

/** The first of several, and a button for all of them. */
export function few(all, draw, others) {
    if (all.length <= PLACES) return draw(all);
    const rest = make("span", { hidden: true }, ...draw(all.slice(PLACES)));
    return [...draw(all.slice(0, PLACES)), others(all.length - PLACES), " ", unfold(rest), rest];
}

/** A button that shows what is folded away, and goes. */
export function unfold(folded, gone = []) {
    const button = make("button", { type: "button", class: "link" }, words.showAll);
    button.addEventListener("click", () => {
        folded.hidden = false;
        // The button goes, and with it the focus would.
        folded.tabIndex = -1;
        folded.focus();
        for (const element of [button, ...gone]) element.remove();
    });
    return button;
}
