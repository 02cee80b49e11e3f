// Finds the backup sets among entries: the topmost folders that look like one.

import { breather } from "./breathe.js";
import { HighwaterError } from "./failure.js";
import { tell } from "./feed.js";
import { entriesOf } from "./walk.js";

/** The backups in what a program gave: as their `roots`, how many `files` there are, and how many `others` belong to none. */
export class Backups {
    constructor(roots, files, others) {
        this.roots = roots;
        this.files = files;
        this.others = others;
    }
}

/** Finds them. What was found before is as it was. */
export async function find(crew, source, { signal, onFound } = {}) {
    if (source instanceof Backups) return source;
    const entries = await entriesOf(await source, onFound);
    const files = entries.filter(({ open }) => open !== null).length;
    const { roots, others } = await findRoots(crew, entries, signal);
    return new Backups(roots, files, others);
}

/** Those that are asked for, at least one: all, or the one with a label. */
export function pick({ roots, files }, label) {
    const some = label === undefined ? roots : roots.filter((root) => root.label === label);
    if (some.length > 0) return some;
    if (roots.length > 0) {
        throw new HighwaterError("source", `there is no '${label}' among them: ${roots.map((root) => root.label).join(", ")}`);
    }
    throw new HighwaterError("source", files === 0 ? "there are no files in it" : "nothing in it looks like a backup");
}

/** The one that is asked for. */
export function pickOne(found, label) {
    const some = pick(found, label);
    if (some.length === 1) return some[0];
    throw new HighwaterError("source", `there are ${some.length} backups in it: name one of them as \`root\`: ${some.map((root) => root.label).join(", ")}`);
}

/**
 * The sets, `{ label, path, format, colons, restores, files, names, folders, opens }` each, and how many files belong to none. `names` are those of
 * all entries below the set's folder, files first; `folders` has 1 for each that is one; `opens` gives the `File` of each that is
 * none. Some of the names may have `colons`; what never `restores` is used as it lies,
 * or its points are trees, of which single `files` are restored.
 */
async function findRoots(crew, dropped, signal) {
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
        const own = await entries(inside, false, breathe);
        const recognise = () => crew.file((post) => tell(post, own, { what: "recognise" }), { signal });
        let known = await recognise();
        if (known?.beyond) {
            await crew.widen();
            known = await recognise();
        }
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
