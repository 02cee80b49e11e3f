// Finds the backup sets among entries: the topmost folders that look like one.

import { breather } from "./breathe.js";

/**
 * The sets, `{ label, path, format, colons, restores, names, folders, opens }` each, and how many files belong to none. `names` are those of
 * all entries below the set's folder, files first; `folders` has 1 for each that is one; `opens` gives the `File` of each that is
 * none. Some of the names may have `colons`; what never `restores` is used as it lies.
 */
export async function findRoots(pool, dropped) {
    const breathe = breather();
    const top = folder();
    for (const { path, open } of dropped) {
        const parts = path.split("/");
        const name = parts.pop();
        let at = top;
        for (const part of parts) {
            if (!at.folders.has(part)) at.folders.set(part, folder());
            at = at.folders.get(part);
        }
        if (open !== null) at.files.set(name, open);
        else if (!at.folders.has(name)) at.folders.set(name, folder());
        await breathe();
    }
    const roots = [];
    let others = 0;
    const waiting = [...top.folders].map(([name, inside]) => [name, inside]);
    while (waiting.length > 0) {
        const [path, inside] = waiting.shift();
        const known = await pool.recognise(await entries(inside, false, breathe));
        if (known !== undefined) {
            roots.push({ path, ...known, ...(await entries(inside, true, breathe)) });
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

/** The entries of a folder: its own alone, or all that are below it too, under their paths. */
async function entries(top, all, breathe) {
    const [names, folders, opens] = [[], [], []];
    const waiting = [["", top]];
    while (waiting.length > 0) {
        const [before, inside] = waiting.pop();
        for (const [name, open] of inside.files) {
            names.push(before + name);
            opens.push(open);
            await breathe();
        }
        for (const [name, deeper] of inside.folders) {
            folders.push(before + name);
            if (all) waiting.push([`${before}${name}/`, deeper]);
            await breathe();
        }
    }
    const kinds = new Uint8Array(names.length + folders.length).fill(1, names.length);
    return { names: names.concat(folders), folders: kinds, opens };
}

/** Calls each set by its folder's name, as the command line does; by its whole path where that is not enough. */
function name(roots) {
    const short = (path) => path.slice(path.lastIndexOf("/") + 1);
    for (const root of roots) {
        const alike = roots.filter((other) => short(other.path) === short(root.path));
        root.label = alike.length === 1 ? short(root.path) : root.path;
    }
}
