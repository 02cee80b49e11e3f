// What is in a folder of node's disk, as a list of entries. Nothing is opened here, and no link is followed: what each leads to is
// judged by the root that it lies in.

import { textOf, isRaw, bytesOf } from "./bytes.js";
import { HighwaterError } from "./failure.js";
import { notFile, sentence } from "./system.js";

/** How many folders are listed at a time. */
const WIDE = 64;

/** What a single file without a folder is called to lie in. */
const LOOSE = "files";

/**
 * The entries of a folder, or a file. Beside those of a browser there are `{ path, link }` with what a link holds, and
 * `{ path, why }` of what is no file, or, with `folder`, of a folder that was not listed.
 */
export async function fromPath(path, found, breathe) {
    if (globalThis.process?.versions?.node === undefined) throw new HighwaterError("source", "there are no paths in a browser");
    const [fs, { basename, resolve }] = await Promise.all([import("node:fs/promises"), import("node:path")]);
    const refuse = (error) => {
        throw new HighwaterError("source", `'${path}' cannot be read: ${sentence(error)}`);
    };
    const top = resolve(path);
    const what = await fs.stat(top).catch(refuse);
    if (!what.isDirectory()) {
        if (!what.isFile()) refuse(new Error(notFile(what)));
        found(1);
        return [{ path: `${LOOSE}/${basename(top)}`, open: opener(top) }];
    }
    const entries = [];
    let files = 0;
    const list = async ([at, path]) => {
        const listed = await fs.readdir(raw(at), { withFileTypes: true, encoding: "buffer" });
        return Promise.all(listed.map((entry) => seen(fs, entry, at, path)));
    };
    const waiting = [[top, basename(top) || "root"]];
    while (waiting.length > 0) {
        const some = waiting.splice(-WIDE);
        const listed = await Promise.all(some.map((folder) => list(folder).catch((error) => error)));
        for (const [number, [at, path]] of some.entries()) {
            const inside = listed[number];
            if (!Array.isArray(inside)) {
                if (at === top) refuse(inside);
                entries.push({ path, open: null, folder: true, why: sentence(inside) });
                continue;
            }
            if (inside.length === 0) entries.push({ path, open: null });
            for (const child of inside) {
                if (child.below !== undefined) waiting.push([child.below, child.path]);
                else entries.push(child);
                files += child.open ? 1 : 0;
                await breathe();
            }
        }
        await found(files);
    }
    return entries;
}

/** What an entry of a folder is; a folder has `below`, where it lies. */
async function seen(fs, entry, folder, around) {
    const name = textOf(entry.name);
    const [at, path] = [`${folder}/${name}`, `${around}/${name}`];
    if (entry.isDirectory()) return { path, below: at };
    if (entry.isFile()) return { path, open: opener(at) };
    if (entry.isSymbolicLink()) {
        const link = await fs.readlink(raw(at), { encoding: "buffer" }).catch(() => null);
        return { path, open: null, link: link === null ? "" : textOf(link) };
    }
    return { path, open: null, why: notFile(entry) };
}

const opener = (at) => async () => ({ path: raw(at) });

/** A path as the system takes it. */
function raw(text) {
    return isRaw(text) ? bytesOf(text) : text;
}
