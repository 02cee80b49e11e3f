// What a person gives the page: files from an input, a drop, or a folder picker, all as the same list of entries.
//
// An entry is `{ path, open }`: its path with `/`, from the top folder on, and a function that gives its `File`. A `File`'s
// size is not asked for here: that takes a third of a millisecond each, which a hundred thousand of them make half a minute.

import { breather } from "./breathe.js";

/** What loose files without a folder are called. */
export const LOOSE = "files";

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
 * Where there are handles they are taken: Chromium refuses to list the older entries on a page that was opened as a file.
 */
export function fromDrop(transfer, found) {
    const items = [...transfer.items].filter((item) => item.kind === "file");
    if (items.every((item) => item.getAsFileSystemHandle !== undefined)) {
        const handles = items.map((item) => item.getAsFileSystemHandle());
        return Promise.all(handles).then((some) => fromHandles(some.filter((handle) => handle !== null), found));
    }
    const entries = items.map((item) => item.webkitGetAsEntry?.()).filter((entry) => entry);
    return fromEntries(entries, found);
}

async function fromEntries(roots, found) {
    const breathe = breather();
    const entries = [];
    const waiting = roots.map((entry) => [entry, entry.isDirectory ? entry.name : `${LOOSE}/${entry.name}`]);
    while (waiting.length > 0) {
        const [entry, path] = waiting.pop();
        if (entry.isDirectory) {
            for (const child of await children(entry)) waiting.push([child, `${path}/${child.name}`]);
        } else {
            entries.push({ path, open: () => new Promise((give, fail) => entry.file(give, fail)) });
        }
        found(entries.length);
        await breathe();
    }
    return entries;
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

/** The entries of handles, as the browser's own picker gives them, and some drops. */
export async function fromHandles(roots, found) {
    const breathe = breather();
    const entries = [];
    const waiting = roots.map((handle) => [handle, handle.kind === "directory" ? handle.name : `${LOOSE}/${handle.name}`]);
    while (waiting.length > 0) {
        const [handle, path] = waiting.pop();
        if (handle.kind === "directory") {
            for await (const child of handle.values()) waiting.push([child, `${path}/${child.name}`]);
        } else {
            entries.push({ path, open: () => handle.getFile() });
        }
        found(entries.length);
        await breathe();
    }
    return entries;
}
