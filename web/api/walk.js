// What a program gives to be looked at, as a list of entries.
//
// An entry is `{ path, open }`: its path with `/`, from the top folder on, and a function that gives its `File`; none for a
// folder with nothing in it, of which inputs do not tell. A `File`'s size is not asked for here: that takes a third of a
// millisecond each, which a hundred thousand of them make half a minute.

import { breather } from "./breathe.js";
import { fromPath } from "./disk.js";
import { HighwaterError } from "./failure.js";
import { sentence } from "./system.js";

/** What loose files without a folder are called. */
const LOOSE = "files";

/** How many folders are listed at a time: each takes a message to the browser and back. */
const WIDE = 64;

/** The entries of a folder's handle, of files, of entries, or of a path where there are paths. `found` hears of how many files. */
export async function listed(source, found = () => {}, signal = undefined) {
    const breathe = breather(signal);
    await breathe();
    if (typeof source === "string") return fromPath(source, found, breathe);
    if (source?.kind === "directory" || source?.kind === "file") return fromHandles([source], found, breathe);
    if (typeof source?.[Symbol.iterator] !== "function") {
        throw new HighwaterError("source", "that is no folder: give a directory handle, files, or a path where there are paths");
    }
    const entries = [];
    for (const one of source) {
        entries.push(entryOf(one));
        await breathe();
    }
    return entries;
}

function entryOf(one) {
    if (typeof one?.path === "string" && (one.open === null || typeof one.open === "function")) return one;
    // By what it does: a file of another window is a `Blob` of that window.
    if (typeof one?.stream === "function" && typeof one.name === "string") return { path: one.webkitRelativePath || `${LOOSE}/${one.name}`, open: async () => one };
    throw new HighwaterError("source", "there is something in it that is neither a file nor an entry");
}

export function fromHandles(roots, found, breathe) {
    const list = async (folder) => {
        const all = [];
        try {
            for await (const child of folder.values()) all.push(child);
        } catch (error) {
            if (roots.includes(folder)) throw new HighwaterError("source", `'${folder.name}' cannot be listed: ${sentence(error)}`);
            return sentence(error);
        }
        return all;
    };
    const isFolder = (handle) => handle.kind === "directory";
    return walk(roots, { isFolder, list, open: (handle) => () => handle.getFile() }, found, breathe);
}

/**
 * All that is in folders: `list` promises what is in one, or why that cannot be told, and `open` gives a function that gives the
 * `File` of what is none.
 */
export async function walk(roots, { isFolder, list, open }, found, breathe = breather()) {
    const [entries, waiting] = [[], []];
    let files = 0;
    const take = (node, path) => {
        if (isFolder(node)) {
            waiting.push([node, path]);
        } else {
            entries.push({ path, open: open(node) });
            files += 1;
        }
    };
    roots.forEach((node) => take(node, isFolder(node) ? node.name : `${LOOSE}/${node.name}`));
    while (waiting.length > 0) {
        const some = waiting.splice(-WIDE);
        const all = await Promise.all(some.map(([folder]) => list(folder)));
        for (const [at, [, path]] of some.entries()) {
            if (typeof all[at] === "string") {
                entries.push({ path, open: null, folder: true, why: all[at] });
                continue;
            }
            if (all[at].length === 0) entries.push({ path, open: null });
            for (const child of all[at]) {
                take(child, `${path}/${child.name}`);
                await breathe();
            }
        }
        await found(files);
    }
    return entries;
}
