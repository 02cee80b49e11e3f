// The reports of a run: one to read, print or mail first, and those for programs in a menu.

import { at, make } from "./element.js";
import { words } from "./language.js";

/** The files of a report for programs, and how the page calls each. */
const FILES = { json: ["JSON", "json"], junit: ["JUnit", "xml"], sarif: ["SARIF", "sarif"], text: ["Text", "txt"] };

/** What a page to read takes over, in its order. */
const PARTS = ["verdict", "plain", "next", "sentence", "coverage", "notes"];

let addresses = [];

/** They are no longer there. */
export function withdraw() {
    at("reports").replaceChildren();
    addresses.forEach((address) => URL.revokeObjectURL(address));
    addresses = [];
}

/** Offers the reports of a run over what `label` names. */
export function offer(report, label) {
    const links = Object.entries(FILES).map(([kind, [title, ending]]) => {
        return file(report.file(kind), `${label}-report.${ending}`, { class: "button quiet", "data-testid": `report-${kind}` }, title);
    });
    const save = make("button", { type: "button", "data-testid": "report-read", click: () => read(label) }, words.saveReport);
    const print = make("button", { type: "button", class: "quiet", click: () => window.print() }, words.print);
    const menu = make("details", { class: "menu" }, make("summary", {}, words.machine), make("p", { class: "choices" }, ...links));
    at("reports").append(save, print, menu);
}

function file(blob, name, attributes, title) {
    const address = URL.createObjectURL(blob);
    addresses.push(address);
    return make("a", { ...attributes, href: address, download: name }, title);
}

/** Saves what the page says as a page of its own, without scripts. */
function read(label) {
    const body = PARTS.map((id) => {
        const copy = at(id).cloneNode(true);
        for (const element of copy.querySelectorAll("button")) element.remove();
        for (const element of [copy, ...copy.querySelectorAll("*")]) {
            for (const { name } of [...element.attributes]) element.removeAttribute(name);
        }
        return copy.outerHTML;
    });
    const { lang } = document.documentElement;
    const head = make("title", {}, `${label}: ${at("verdict").textContent}`).outerHTML;
    const whole = `<!doctype html>\n<html lang="${lang}">\n<meta charset="utf-8">\n${head}\n<body>\n${make("h1", {}, label).outerHTML}\n${body.join("\n")}\n`;
    file(new Blob([whole], { type: "text/html" }), `${label}-${words.reportName}.html`, {}, "").click();
}
