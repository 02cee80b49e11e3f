// The end of a run: one sentence, the findings with advice, and the reports as files.

import { at, make } from "./element.js";
import { count } from "./words.js";

const TITLES = { sound: "Sound", damaged: "Damaged", inconclusive: "Inconclusive" };

/** The files of a report, and how the page calls each. */
const FILES = { json: ["JSON", "json"], junit: ["JUnit", "xml"], sarif: ["SARIF", "sarif"], text: ["Text", "txt"] };

/** How many places and points are named for findings that are alike. */
const PLACES = 5;

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

/** Shows what a run came to. */
export function show(report, label, more) {
    const { verdict, sentence, findings, tallies } = report;
    for (const [kind, [title, ending]] of Object.entries(FILES)) {
        const address = URL.createObjectURL(report.file(kind));
        addresses.push(address);
        const look = kind === "json" ? "button" : "button quiet";
        const link = { href: address, download: `${label}-report.${ending}`, class: look, "data-testid": `report-${kind}` };
        at("reports").append(make("a", link, `${title} report`));
    }
    at("findings").hidden = findings.length === 0;
    at("notes").replaceChildren(...alike(findings).map(note));
    const unlisted = Object.values(tallies).reduce((sum, some) => sum + some, 0) - findings.length;
    if (unlisted > 0) {
        const words = `and ${count(unlisted, "more finding")}; the reports count them by kind`;
        at("notes").append(make("li", { class: "dim" }, words));
    }
    say(verdict, sentence, more);
}

/** Findings that say the same of several objects, together. */
function alike(findings) {
    const groups = new Map();
    for (const finding of findings) {
        const key = JSON.stringify([finding.code, finding.message, finding.advice]);
        if (!groups.has(key)) groups.set(key, []);
        groups.get(key).push(finding);
    }
    return [...groups.values()];
}

function note(group) {
    const [{ code, name, severity, message, advice }] = group;
    const places = group.slice(0, PLACES).flatMap((finding) => [" · ", ...place(finding)]);
    const more = group.length > PLACES ? [` and ${count(group.length - PLACES, "other")}`] : [];
    return make(
        "li",
        {},
        make("p", {}, make("span", { class: `code ${severity}` }, `${code} ${name}`), ...places, ...more),
        make("p", {}, `${message}.`),
        make("p", {}, advice),
        ...hurt(group),
    );
}

function place({ root, object, offset }) {
    const name = make("span", { class: "name" }, object === "" ? root : `${root}/${object}`);
    return offset === null ? [name] : [name, ` at byte ${offset}`];
}

/** The points that any of these findings hurts, each once; where a report names only some, as many as the worst one hurts. */
function hurt(group) {
    const several = new Set(group.map(({ root }) => root)).size > 1;
    const named = new Set(group.flatMap(({ root, sets }) => sets.map((name) => (several ? `${root}@${name}` : name))));
    const total = Math.max(named.size, ...group.map(({ sets_total: some }) => some));
    if (total === 0) return [];
    const complete = group.every(({ sets, sets_total: some }) => sets.length === some);
    const number = `${complete ? "" : "at least "}${count(total, "point")}`;
    const names = `${[...named].slice(0, PLACES).join(", ")}${total > PLACES ? ", …" : ""}`;
    return [make("p", { class: "dim" }, `Hurts ${number} in time: ${names}`)];
}
