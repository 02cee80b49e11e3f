// Finds the backup sets among entries: the topmost folders that look like one.

import { breather } from "./breathe.js";
import { shown } from "./bytes.js";
import { HighwaterError, unlessAborted } from "./failure.js";
import { tell } from "./feed.js";
import { entriesOf, plant } from "./tree.js";
import { listed } from "./walk.js";

/** The backups in what a program gave: as their `roots`, how many `files` there are, how many `others` belong to none, and which folders outside of all were `unlisted`. */
export class Backups {
    constructor(roots, files = 0, others = 0, unlisted = []) {
        this.roots = roots;
        this.files = files;
        this.others = others;
        this.unlisted = unlisted;
    }
}

/** Finds them. What was found before is as it was. */
export async function find(crew, source, { signal, onFound } = {}) {
    const given = await unlessAborted(signal, source);
    if (given instanceof Backups) return given;
    const entries = await unlessAborted(signal, listed(given, onFound, signal));
    const files = entries.filter(({ open }) => open !== null).length;
    const { roots, others, unlisted } = await findRoots(crew, entries, signal);
    return new Backups(roots, files, others, unlisted);
}

/** Those that are asked for, at least one: all, or the one with a label. */
export function pick({ roots, files, unlisted }, label) {
    const some = label === undefined ? roots : roots.filter((root) => root.label === label);
    if (some.length > 0) return some;
    if (roots.length > 0) {
        throw new HighwaterError("source", `there is no '${label}' among them: ${roots.map((root) => root.label).join(", ")}`);
    }
    const shut = unlisted.length > 0 ? `; of its folders, ${unlisted.length} cannot be listed, as '${shown(unlisted[0])}'` : "";
    throw new HighwaterError("source", (files === 0 ? "there are no files in it" : "nothing in it looks like a backup") + shut);
}

/** The one that is asked for. */
export function pickOne(found, label) {
    const some = pick(found, label);
    if (some.length === 1) return some[0];
    throw new HighwaterError("source", `there are ${some.length} backups in it: name one of them as \`root\`: ${some.map((root) => root.label).join(", ")}`);
}

/**
 * The sets, `{ label, path, format, colons, restores, files, names, kinds, opens, odd }` each, and how many files belong to none. The
 * entries are all below the set's folder: see `entriesOf`. Some of the names may have `colons`; what never `restores` is used as it
 * lies, or its points are trees, of which single `files` are restored. A link to a set is no second one.
 */
async function findRoots(crew, dropped, signal) {
    const breathe = breather(signal);
    const top = await plant(dropped, breathe);
    const roots = [];
    let others = 0;
    const unlisted = [];
    const waiting = [...top.folders].map(([name, inside]) => [name, inside]);
    while (waiting.length > 0) {
        const [path, inside] = waiting.shift();
        const own = await entriesOf(inside, false, breathe);
        const recognise = () => crew.file((post) => tell(post, own, { what: "recognise" }), { signal });
        let known = await recognise();
        if (known?.beyond) {
            await crew.widen();
            known = await recognise();
        }
        if (known !== undefined) {
            roots.push({ path, ...known, ...(await entriesOf(inside, true, breathe)) });
        } else {
            others += inside.files.size;
            if (inside.why !== undefined) unlisted.push(path);
            for (const [name, deeper] of inside.folders) waiting.push([`${path}/${name}`, deeper]);
        }
    }
    name(roots);
    return { roots, others, unlisted };
}

/** Calls each set by its folder's name, as the command line does; by its whole path where that is not enough. */
function name(roots) {
    const short = (path) => path.slice(path.lastIndexOf("/") + 1);
    for (const root of roots) {
        const alike = roots.filter((other) => short(other.path) === short(root.path));
        root.label = shown(alike.length === 1 ? short(root.path) : root.path);
    }
}
