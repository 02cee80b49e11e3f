// The language of the page: the browser's, where there are texts in it. An address that ends in `#lang=de` says otherwise.

import { DE } from "../words/de.js";
import { EN } from "../words/en.js";

const ALL = { de: DE, en: EN };

const asked = new URLSearchParams(location.hash.slice(1)).get("lang");

/** The first language of the person's that there is, else English. */
const found = [asked, ...navigator.languages].map((tag) => tag?.slice(0, 2).toLowerCase()).find((tag) => Object.hasOwn(ALL, tag ?? ""));

/** What the page says. */
export const words = ALL[found ?? "en"];

/** Fills the page: `data-say` names the text of an element, `data-label` that of its label. */
export function translate() {
    document.documentElement.lang = found ?? "en";
    for (const element of document.querySelectorAll("[data-say]")) element.prepend(text(element.dataset.say));
    for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", text(element.dataset.label));
}

/** A text by its name, as `looks.repozo`. */
function text(name) {
    return name.split(".").reduce((at, part) => at[part], words);
}
