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

/** The entries of a drop. Call it in the event itself: the browser forgets what was dropped right after. */
export function fromDrop(transfer, found) {
    const roots = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter((entry) => entry);
    const walk = async () => {
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
    };
    return walk();
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

/** The entries of a folder that the browser's own picker gave. */
export async function fromHandle(folder, found) {
    const breathe = breather();
    const entries = [];
    const waiting = [[folder, folder.name]];
    while (waiting.length > 0) {
        const [handle, path] = waiting.pop();
        for await (const child of handle.values()) {
            if (child.kind === "directory") waiting.push([child, `${path}/${child.name}`]);
            else entries.push({ path: `${path}/${child.name}`, open: () => child.getFile() });
            found(entries.length);
            await breathe();
        }
    }
    return entries;
}
