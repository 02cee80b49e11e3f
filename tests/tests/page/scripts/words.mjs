// Compares the texts of the page's languages, and what the page uses of them: a line for each difference.

import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";

const web = process.argv[2];
const text = (path) => readFile(join(web, path), "utf8");

/** The modules lie in no package: as data, node takes them for what they are. */
const language = async (path) => import(`data:text/javascript,${encodeURIComponent(await text(path))}`);
const [{ EN }, { DE }] = [await language("words/en.js"), await language("words/de.js")];

/** What numbers and names a text has in it of those that it was given. */
function placed(make, given) {
    const said = make(...given);
    return given.map((one) => (said.includes(String(one)) ? "x" : "-")).join("");
}

function compare(at, one, other) {
    const kinds = [one, other].map((text) => (Array.isArray(text) ? "array" : typeof text));
    if (kinds[0] !== kinds[1]) return console.log(`${at} is ${kinds[0]} in English and ${kinds[1]} in German`);
    if (kinds[0] === "string" && (one === "" || other === "")) return console.log(`${at} is empty`);
    if (kinds[0] === "function") {
        if (one.length !== other.length) return console.log(`${at} takes ${one.length} and ${other.length}`);
        const numbers = Array.from({ length: one.length }, (_, i) => 3 + 2 * i);
        const ones = numbers.map(() => 1);
        const names = numbers.map((number) => `N${number}`);
        // A count of one is often a word.
        for (const given of one.length === 1 && placed(one, ones) !== "x" ? [numbers, names] : [ones, numbers, names]) {
            const [here, there] = [placed(one, given), placed(other, given)];
            if (here !== there) console.log(`${at}(${given}) has ${here} in English and ${there} in German`);
        }
        return undefined;
    }
    if (kinds[0] === "array" || kinds[0] === "object") {
        for (const key of new Set([...Object.keys(one), ...Object.keys(other)])) {
            const missing = [one, other].findIndex((some) => !Object.hasOwn(some, key));
            if (missing >= 0) console.log(`${at}${key} is not in ${["English", "German"][missing]}`);
            else compare(`${at}${key}.`, one[key], other[key]);
        }
    }
    return undefined;
}

// The engine speaks English itself, so that findings need no texts there.
const [{ codes: ours, kinds: called, ...english }, { codes, kinds, ...german }] = [EN, DE];
compare("", english, german);
if (Object.keys({ ...ours, ...called }).length > 0) console.log("codes or kinds have English texts that the engine has already");

const html = await text("index.html");
const marked = [...html.matchAll(/data-(?:say|label)="([^"]+)"/g)].map(([, name]) => name);
const scripts = await Promise.all((await readdir(join(web, "page"))).map((name) => text(join("page", name))));
const named = scripts.flatMap((script) => [...script.matchAll(/(?<!\/)\bwords\.([A-Za-z]+)/g)].map(([, name]) => name));
for (const name of [...marked, ...named]) {
    if (name.split(".").reduce((at, part) => at?.[part], EN) === undefined) console.log(`${name} is used, and no text`);
}
const used = new Set([...marked.map((name) => name.split(".")[0]), ...named]);
for (const name of Object.keys(EN)) if (!used.has(name)) console.log(`${name} is used nowhere`);

// What the page says of each kind of finding, for whoever counts the kinds.
for (const [code, [what, next]] of Object.entries(codes)) console.log(`code ${code} ${what !== "" && next !== ""}`);

// And what it calls the kinds of backup.
console.log(`kinds ${kinds.several.length} ${kinds.several.every((kind) => kind !== "") && kinds.indices !== "" && kinds.caveats !== ""}`);
