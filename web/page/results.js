// The end of a run: one sentence, the findings with advice, and the reports as files.

import { at, make } from "./element.js";
import { count } from "./words.js";

const TITLES = { sound: "Sound", damaged: "Damaged", inconclusive: "Inconclusive" };

/** The files of a report: what the command line calls them, their type, and how to write them. */
const FILES = [
    ["json", "JSON", "application/json", (report) => report.json()],
    ["junit", "JUnit", "application/xml", (report) => report.junit()],
    ["sarif", "SARIF", "application/sarif+json", (report) => report.sarif()],
    ["text", "Text", "text/plain", (report) => report.text(false)],
];

const ENDINGS = { json: "json", junit: "xml", sarif: "sarif", text: "txt" };

let addresses = [];

/** Nothing is known any more. */
export function forget() {
    at("outcome").hidden = true;
    at("findings").hidden = true;
    at("verdict").removeAttribute("data-verdict");
    at("verdict").textContent = "";
    at("reports").replaceChildren();
    addresses.forEach((address) => URL.revokeObjectURL(address));
    addresses = [];
}

/** Says a verdict that no report speaks of. */
export function say(verdict, sentence, more = "") {
    const outcome = at("outcome");
    outcome.className = verdict;
    outcome.hidden = false;
    at("verdict").textContent = TITLES[verdict];
    at("sentence").textContent = sentence;
    at("coverage").textContent = more;
    at("verdict").dataset.verdict = verdict;
    at("verdict").focus({ preventScroll: true });
}

/** Shows a report. */
export function show(report, label, more) {
    const read = JSON.parse(report.json());
    for (const [kind, title, type, render] of FILES) {
        const address = URL.createObjectURL(new Blob([render(report)], { type }));
        addresses.push(address);
        const name = `${label}-report.${ENDINGS[kind]}`;
        const quiet = kind === "json" ? "button" : "button quiet";
        at("reports").append(
            make("a", { href: address, download: name, class: quiet, "data-testid": `report-${kind}` }, `${title} report`),
        );
    }
    at("findings").hidden = read.findings.length === 0;
    at("notes").replaceChildren(...read.findings.map(note));
    const listed = Object.values(read.tallies).reduce((sum, some) => sum + some, 0) - read.findings.length;
    if (listed > 0) at("notes").append(make("li", { class: "dim" }, `and ${count(listed, "more finding")}; the reports count them by kind`));
    say(read.verdict, report.sentence(), more);
}

function note({ code, name, severity, root, object, offset, message, advice, sets, sets_total: total }) {
    const place = [make("span", { class: "name" }, object === "" ? root : `${root}/${object}`)];
    if (offset !== null) place.push(` at byte ${offset}`);
    const hurt = total === 0 ? [] : [make("p", { class: "dim" }, `Hurts ${count(total, "point")} in time: ${sets.slice(0, 5).join(", ")}${total > 5 ? ", …" : ""}`)];
    return make(
        "li",
        {},
        make("p", {}, make("span", { class: `code ${severity}` }, `${code} ${name}`), " · ", ...place),
        make("p", {}, `${message}.`),
        make("p", {}, advice),
        ...hurt,
    );
}
