// What a person drops on the page, as a list of entries: the API says what these are.

import { fromHandles, walk } from "../api/walk.js";

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
