// The language of the page: the browser's, where there are texts in it. An address that ends in `#lang=de` says otherwise.

import { DE } from "../words/de.js";
import { EN } from "../words/en.js";

const ALL = { de: DE, en: EN };

/** The first language of the person's that there is, else English; the address may ask for one. */
export function chosen() {
    const asked = new URLSearchParams(location.hash.slice(1)).get("lang");
    const tags = [asked, ...navigator.languages].map((tag) => tag?.slice(0, 2).toLowerCase());
    return tags.find((tag) => Object.hasOwn(ALL, tag ?? "")) ?? "en";
}

/** The language that the page was opened in. */
export const language = chosen();

/** What the page says. */
export const words = ALL[language];

/** What is said of kinds of backup: the engine says it in English. */
export function kinds() {
    const { several, ...more } = { ...document.getElementById("kinds").dataset, ...words.kinds };
    return { ...more, several: Array.isArray(several) ? new Intl.ListFormat(words.locale).format(several) : several };
}

/** Fills the page: `data-say` names the text of an element, `data-label` that of its label. */
export function translate() {
    document.documentElement.lang = language;
    for (const element of document.querySelectorAll("[data-say]")) element.prepend(text(element.dataset.say));
    for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", text(element.dataset.label));
}

/** A text by its name, as `looks.repozo`. */
function text(name) {
    return name.split(".").reduce((at, part) => at[part], words);
}
