// Feeds a worker: the names of a root, its files as they are asked for, and the beginnings of short ones.

import { pause } from "./breathe.js";
import { sentence } from "./system.js";

/** Names that go to a worker at a time. */
const NAMES = 4000;

/** Files that go to a worker at a time: handing one over takes a fifth of a millisecond. */
const FILES = 48;

/** Says all entries of a root, and then what is to be done with them. */
export async function tell(post, root, last) {
    post({ what: "begin" });
    for (let first = 0; first < root.names.length; first += NAMES) {
        const names = root.names.slice(first, first + NAMES);
        post({ what: "list", names, kinds: root.kinds.slice(first, first + NAMES), first });
        await pause();
    }
    if (root.odd.length > 0) post({ what: "odd", odd: root.odd });
    post(last);
}

/** Opens files and hands them over, some at a time; in place of one that cannot be opened goes the reason. */
export async function hand(post, root, numbers) {
    for (let first = 0; first < numbers.length; first += FILES) {
        const some = numbers.slice(first, first + FILES);
        const files = await Promise.all(Array.from(some, (number) => opened(root.opens[number]).catch(sentence)));
        post({ what: "files", numbers: some, files });
        await pause();
    }
}

/** What a program's function opens to: it may throw, and give anything. */
async function opened(open) {
    const file = await open();
    if (typeof file?.stream === "function" || file?.path !== undefined) return file;
    throw new Error("it was opened to something that is no file");
}

/** Reads the beginnings of short files and hands over the bytes. */
export async function begin(post, root, wants) {
    const read = ({ id, file, length }) =>
        beginning(root.opens[file], length).then(
            (bytes) => ({ id, bytes, last: bytes.length < length }),
            (error) => ({ id, error: sentence(error) }),
        );
    const some = await Promise.all(wants.map(read));
    post({ what: "beginnings", some }, some.flatMap(({ bytes }) => (bytes ? [bytes.buffer] : [])));
}

/**
 * The first bytes of a file, so many at most. By way of a stream: to cut a `File`, the browser must ask the disk for its size
 * first, on the page's thread.
 */
async function beginning(open, length) {
    const reader = (await opened(open)).stream().getReader();
    const pieces = [];
    let left = length;
    while (left > 0) {
        const { done, value } = await reader.read();
        if (done) break;
        pieces.push(value.subarray(0, left));
        left -= pieces.at(-1).length;
    }
    if (left === 0) reader.cancel();
    // Most files are one piece: to make room for as much as there might be, for each of them, takes longer than to read it.
    if (pieces.length === 1) return pieces[0];
    const bytes = new Uint8Array(length - left);
    let filled = 0;
    for (const piece of pieces) {
        bytes.set(piece, filled);
        filled += piece.length;
    }
    return bytes;
}
