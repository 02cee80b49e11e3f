// What is refused, and how: a line for each with its name, the error's code and its sentence. It ends only when no worker is left.

import { readFile } from "node:fs/promises";
import { HighwaterError, backups, list, openKey, restore, verify } from "highwater";

const [sound, empty, sealed, two, locked] = process.argv.slice(2);
const key = await readFile(locked);

async function refused(name, work) {
    try {
        await work();
        console.log(`${name} nothing`);
    } catch (error) {
        if (!(error instanceof HighwaterError)) throw error;
        console.log(`${name} ${error.code} ${error.message}`);
    }
}

await refused("depth", () => verify(sound, { depth: "whole" }));
await refused("workers", () => verify(sound, { workers: 0 }));
await refused("path", () => verify(`${sound}/not-there`));
await refused("empty", () => verify(empty));
await refused("number", () => verify(7));
await refused("items", () => verify([7]));
await refused("point", () => verify(sound, { point: "yesterday" }));
await refused("unnamed", () => restore(sound, {}));
await refused("early", () => restore(sound, { point: "1999-01-01-00-00-00" }));
await refused("several", () => restore(two, { point: "2026-03-01-00-00-00" }));
await refused("label", () => verify(two, { root: "three" }));
await refused("key", () => openKey(new TextEncoder().encode("no key")));
await refused("passphrase", () => openKey(key));
await refused("wrong", () => openKey(key, "wrong horse"));
const opened = await openKey(key, "correct horse");
console.log(`opened ${opened.fingerprint.length > 20} ${opened.secret.length}`);
// A wrong passphrase beside it changes nothing of what was opened.
const report = await verify(sealed, { keys: [opened] });
console.log(`sealed ${report.verdict}`);
// Several backups in one source, of which one is meant; what was found is used again.
const found = await backups(two);
console.log(`found ${found.roots.map(({ label }) => label).sort()} ${found.others}`);
const one = await verify(found, { root: "one" });
console.log(`one ${one.roots.map(({ label }) => label)} ${one.verdict}`);
console.log(`both ${(await list(found)).map(({ root }) => root).sort()}`);
const few = await verify(found, { root: "one", listed: 2 });
console.log(`listed ${few.sets.length} ${few.points("one") === one.sets.length} ${(await few.json()) === (await one.json())}`);
