// What a person gives the page: files from an input or a drop, both as the same list of entries.
//
// An entry is `{ path, open }`: its path with `/`, from the top folder on, and a function that gives its `File`; none for a
// folder with nothing in it, of which inputs do not tell. A `File`'s size is not asked for here: that takes a third of a
// millisecond each, which a hundred thousand of them make half a minute.

import { breather } from "./breathe.js";

/** What loose files without a folder are called. */
const LOOSE = "files";

/** How many folders are listed at a time: each takes a message to the browser and back. */
const WIDE = 64;

/** The entries of a file input. */
export async function fromInput(list) {
    const breathe = breather();
    const entries = [];
    for (const file of list) {
        entries.push({ path: file.webkitRelativePath || `${LOOSE}/${file.name}`, open: async () => file });
        await breathe();
    }
    return entries;
}

/**
 * The entries of a drop. Call it in the event itself: the browser forgets what was dropped right after.
 *
 * Chromium refuses to list entries on a page that was opened as a file, and the handles that it gives there pass over names with
 * a colon, without a word: then the list says that it may be `partial`. Nor does an entry of a file give its `File` there, but the
 * item does.
 */
export async function fromDrop(transfer, found) {
    const items = [...transfer.items].filter((item) => item.kind === "file");
    const entries = items.map((item) => item.webkitGetAsEntry?.()).filter((entry) => entry);
    const loose = new Map(items.map((item) => [item.webkitGetAsEntry?.()?.fullPath, item.getAsFile?.()]));
    const handles = items.map((item) => item.getAsFileSystemHandle?.()).filter((handle) => handle);
    // Taken or not, they are awaited: a promise that fails unheard is an error of the page.
    const held = Promise.all(handles).catch(() => []);
    try {
        return await fromEntries(entries, loose, found);
    } catch (error) {
        const some = (await held).filter((handle) => handle !== null);
        if (some.length === 0) throw error;
        return Object.assign(await fromHandles(some, found), { partial: true });
    }
}

function fromEntries(roots, loose, found) {
    const open = (entry) => {
        const file = loose.get(entry.fullPath);
        return async () => file ?? new Promise((give, fail) => entry.file(give, fail));
    };
    return walk(roots, { isFolder: (entry) => entry.isDirectory, list: children, open }, found);
}

/** All entries of a folder: a reader gives some of them at a time, and none when it has given all. */
async function children(folder) {
    const reader = folder.createReader();
    const all = [];
    for (;;) {
        const some = await new Promise((give, fail) => reader.readEntries(give, fail));
        if (some.length === 0) return all;
        all.push(...some);
    }
}

function fromHandles(roots, found) {
    const list = async (folder) => {
        const all = [];
        for await (const child of folder.values()) all.push(child);
        return all;
    };
    const isFolder = (handle) => handle.kind === "directory";
    return walk(roots, { isFolder, list, open: (handle) => () => handle.getFile() }, found);
}

/** All that is in folders: `list` promises what is in one, and `open` gives a function that gives the `File` of what is none. */
async function walk(roots, { isFolder, list, open }, found) {
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
