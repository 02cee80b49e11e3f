// What a program gives to be looked at, as a list of entries.
//
// An entry is `{ path, open }`: its path with `/`, from the top folder on, and a function that gives its `File`; none for a
// folder with nothing in it, of which inputs do not tell. A `File`'s size is not asked for here: that takes a third of a
// millisecond each, which a hundred thousand of them make half a minute.

import { breather } from "./breathe.js";
import { HighwaterError } from "./failure.js";

/** What loose files without a folder are called. */
const LOOSE = "files";

/** How many folders are listed at a time: each takes a message to the browser and back. */
const WIDE = 64;

/** The entries of a folder's handle, of files, of entries, or of a path where there are paths. `found` hears of how many files. */
export async function entriesOf(source, found = () => {}) {
    if (typeof source === "string") return fromPath(source, found);
    if (source?.kind === "directory" || source?.kind === "file") return fromHandles([source], found);
    if (typeof source?.[Symbol.iterator] !== "function") {
        throw new HighwaterError("source", "that is no folder: give a directory handle, files, or a path where there are paths");
    }
    const breathe = breather();
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

export function fromHandles(roots, found) {
    const list = async (folder) => {
        const all = [];
        for await (const child of folder.values()) all.push(child);
        return all;
    };
    const isFolder = (handle) => handle.kind === "directory";
    return walk(roots, { isFolder, list, open: (handle) => () => handle.getFile() }, found);
}

/** All that is in folders: `list` promises what is in one, and `open` gives a function that gives the `File` of what is none. */
export async function walk(roots, { isFolder, list, open }, found) {
    const breathe = breather();
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
        const listed = await Promise.all(some.map(([folder]) => list(folder)));
        for (const [at, [, path]] of some.entries()) {
            if (listed[at].length === 0) entries.push({ path, open: null });
            for (const child of listed[at]) {
                take(child, `${path}/${child.name}`);
                await breathe();
            }
        }
        found(files);
    }
    return entries;
}

/** A folder of node's. Links to files and folders are followed; what is neither file nor folder is passed over. */
async function fromPath(path, found) {
    if (globalThis.process?.versions?.node === undefined) throw new HighwaterError("source", "there are no paths in a browser");
    const [fs, { basename, join, resolve }] = await Promise.all([import("node:fs/promises"), import("node:path")]);
    const node = async (parent, entry) => {
        const at = join(parent, entry.name);
        const kind = entry.isSymbolicLink() ? await fs.stat(at).catch(() => entry) : entry;
        return { at, name: entry.name, folder: kind.isDirectory(), file: kind.isFile() };
    };
    const list = async ({ at }) => {
        const inside = await fs.readdir(at, { withFileTypes: true });
        return (await Promise.all(inside.map((entry) => node(at, entry)))).filter(({ folder, file }) => folder || file);
    };
    const top = resolve(path);
    const stat = await fs.stat(top).catch((error) => {
        throw new HighwaterError("source", `'${path}' cannot be read: ${error.message}`);
    });
    const root = { at: top, name: basename(top) || "root", folder: stat.isDirectory() };
    return walk([root], { isFolder: ({ folder }) => folder, list, open: ({ at }) => async () => ({ path: at }) }, found);
}
