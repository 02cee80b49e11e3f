// The end of a run: the verdict in plain words, the findings with what to do, and the reports.

import { at, make } from "./element.js";
import { words } from "./language.js";
import { offer, withdraw } from "./reports.js";
import { tab } from "./tab.js";
import { PLACES, few, unfold } from "./unfold.js";
import { plain } from "./verdict.js";

/** The longest name that is shown whole, in characters. */
const LONG = 80;

/** Somebody is at a field of the key: what ends meanwhile leaves the focus there. */
export function isTyped() {
    return at("key").contains(document.activeElement);
}

/** Nothing is known any more. */
export function forget() {
    at("outcome").hidden = true;
    at("findings").hidden = true;
    at("verdict").removeAttribute("data-verdict");
    for (const id of ["verdict", "plain", "next", "sentence", "coverage"]) at(id).textContent = "";
    withdraw();
    tab("idle");
}

/** Says a verdict that no report speaks of. `look` is that of a verdict, or `none` for what is neither good nor bad. */
export function say(verdict, { title, sentence, next = "" }, look = verdict) {
    const outcome = at("outcome");
    outcome.className = look;
    outcome.hidden = false;
    at("verdict").textContent = title;
    at("plain").textContent = sentence;
    at("next").textContent = next;
    at("verdict").dataset.verdict = verdict;
    if (!isTyped()) at("verdict").focus({ preventScroll: true });
    tab(look, title);
}

/** Shows what a run came to. */
export function show(report, { label, hasTrees }, pace) {
    const { verdict, sentence, findings, tallies } = report;
    const notes = alike(findings).map(note);
    const unlisted = Object.values(tallies).reduce((sum, some) => sum + some, 0) - findings.length;
    if (unlisted > 0) notes.push(make("li", { class: "dim" }, words.unlisted(unlisted)));
    // A link that the browser left out looks as if nothing were there.
    if (findings.some(({ code }) => code === "HW101")) notes.push(make("li", { class: "dim", "data-testid": "links" }, words.behindLinks));
    at("findings").hidden = findings.length === 0;
    at("notes").replaceChildren(...notes);
    at("sentence").textContent = words.says(sentence);
    at("coverage").textContent = pace;
    offer(report, label);
    say(verdict, plain(report, hasTrees));
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
    const [what, next] = words.codes[code] ?? ["", advice];
    const places = (some) => some.flatMap((finding) => [" · ", ...place(finding)]);
    return make(
        "li",
        {},
        make("p", {}, make("span", { class: `code ${severity}` }, `${code} ${name}`), ...few(group, places, words.andOthers)),
        ...(what === "" ? [] : [make("p", {}, what)]),
        make("p", what === "" ? {} : { class: "dim", lang: "en" }, `${message}.`),
        make("p", {}, next),
        ...hurt(group),
    );
}

function place({ root, object, offset }) {
    const whole = object === "" ? root : `${root}/${object}`;
    const where = offset === null ? [] : [words.atByte(offset)];
    if (whole.length <= LONG) return [make("span", { class: "name" }, whole), ...where];
    const short = make("span", { class: "name" }, `${whole.slice(0, LONG / 2)}…${whole.slice(-LONG / 2)} `);
    const long = make("span", { class: "name", hidden: true }, whole);
    return [short, unfold(long, [short]), long, ...where];
}

/** The points that any of these findings hurts, each once; where a report names only some, as many as the worst one hurts. */
function hurt(group) {
    const several = new Set(group.map(({ root }) => root)).size > 1;
    const named = [...new Set(group.flatMap(({ root, sets }) => sets.map((name) => (several ? `${root}@${name}` : name))))];
    const total = Math.max(named.length, ...group.map(({ sets_total: some }) => some));
    if (total === 0) return [];
    const complete = group.every(({ sets, sets_total: some }) => sets.length === some);
    const said = words.hurts(total, `${named.slice(0, PLACES).join(", ")}${total > PLACES ? ", …" : ""}`, !complete);
    if (named.length <= PLACES) return [make("p", { class: "dim" }, said)];
    const all = make("span", { hidden: true }, `${named.slice(PLACES).join(", ")}${total > named.length ? ", …" : ""}`);
    return [make("p", { class: "dim" }, said, " ", unfold(all), all)];
}
