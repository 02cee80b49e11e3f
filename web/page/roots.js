// Finds the backup sets among entries: the topmost folders that look like one.

import { breather } from "./breathe.js";

/**
 * The sets, `{ label, path, format, names, folders, opens }` each, and how many files belong to none. `names` are those of the
 * folder's own entries; `folders` has 1 for each that is one; `opens` gives the `File` of each that is none.
 */
export async function findRoots(pool, entries) {
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
        const found = await root(path, inside, breathe);
        found.format = found.opens.length > 0 ? await pool.recognise(found) : undefined;
        if (found.format !== undefined) {
            roots.push(found);
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

async function root(path, { files, folders }, breathe) {
    const names = [];
    const opens = [];
    for (const [name, open] of files) {
        names.push(name);
        opens.push(open);
        await breathe();
    }
    const kinds = new Uint8Array(files.size + folders.size).fill(1, files.size);
    return { path, names: [...names, ...folders.keys()], folders: kinds, opens };
}

/** Calls each set by its folder's name, as the command line does; by its whole path where that is not enough. */
function name(roots) {
    const short = (path) => path.slice(path.lastIndexOf("/") + 1);
    for (const root of roots) {
        const alike = roots.filter((other) => short(other.path) === short(root.path));
        root.label = alike.length === 1 ? short(root.path) : root.path;
    }
}
