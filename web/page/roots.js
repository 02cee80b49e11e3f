// Finds the backup sets among entries: the topmost folders that look like one.

import { breather } from "./breathe.js";

/**
 * The sets, `{ label, path, format, names, folders, opens }` each, and how many files belong to none. `names` are those of the
 * folder's own entries; `folders` has 1 for each that is one; `opens` gives the `File` of each that is none.
 */
export async function findRoots(engine, entries) {
    const breathe = breather();
    const top = folder();
    for (const { path, open } of entries) {
        const parts = path.split("/");
        const name = parts.pop();
        let at = top;
        for (const part of parts) {
            if (!at.folders.has(part)) at.folders.set(part, folder());
            at = at.folders.get(part);
        }
        at.files.set(name, open);
        await breathe();
    }
    const roots = [];
    let others = 0;
    const waiting = [...top.folders].map(([name, inside]) => [name, inside]);
    while (waiting.length > 0) {
        const [path, inside] = waiting.shift();
        const format = await recognise(engine, inside, breathe);
        if (format !== undefined) {
            roots.push(await root(path, inside, format, breathe));
        } else {
            others += inside.files.size;
            for (const [name, deeper] of inside.folders) waiting.push([`${path}/${name}`, deeper]);
        }
    }
    name(roots);
    return { roots, others };
}

function folder() {
    return { files: new Map(), folders: new Map() };
}

async function recognise(engine, { files, folders }, breathe) {
    const listing = new engine.Listing();
    let number = 0;
    for (const name of files.keys()) {
        listing.add(name, false, number);
        number += 1;
        await breathe();
    }
    for (const name of folders.keys()) listing.add(name, true, 0);
    const format = listing.format();
    listing.free();
    return format;
}

async function root(path, { files, folders }, format, breathe) {
    const names = [];
    const opens = [];
    for (const [name, open] of files) {
        names.push(name);
        opens.push(open);
        await breathe();
    }
    const kinds = new Uint8Array(files.size + folders.size).fill(1, files.size);
    return { path, format, names: [...names, ...folders.keys()], folders: kinds, opens };
}

/** Calls each set by its folder's name, as the command line does; by its whole path where that is not enough. */
function name(roots) {
    const short = (path) => path.slice(path.lastIndexOf("/") + 1);
    for (const root of roots) {
        const alike = roots.filter((other) => short(other.path) === short(root.path));
        root.label = alike.length === 1 ? short(root.path) : root.path;
    }
}
