// Where a restored file goes: straight to disk where the browser can, else a download for what fits in memory.

import { words } from "./language.js";
import { bytes } from "./words.js";

/** The longest file that is collected for a download, in bytes. */
const MOST = 1024 ** 3;

/**
 * Asks for a place, and gives `{ write, close, abort }`. What was written is not there before `close`. Call it while a click
 * is being handled.
 */
export async function place(name) {
    if (window.showSaveFilePicker === undefined) return collect(name);
    const handle = await window.showSaveFilePicker({ suggestedName: name });
    const stream = await handle.createWritable();
    return { write: (piece) => stream.write(piece), close: () => stream.close(), abort: () => stream.abort() };
}

function collect(name) {
    const pieces = [];
    return {
        async write(piece, end) {
            if (end > MOST) {
                throw new Error(words.tooLong(bytes(end)));
            }
            pieces.push(new Blob([piece]));
        },
        async close() {
            const address = URL.createObjectURL(new Blob(pieces, { type: "application/octet-stream" }));
            const link = document.createElement("a");
            [link.href, link.download] = [address, name];
            link.click();
            setTimeout(() => URL.revokeObjectURL(address), 60_000);
        },
        async abort() {
            pieces.length = 0;
        },
    };
}
