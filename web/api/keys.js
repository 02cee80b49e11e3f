// Keys of encrypted sets: opened by a worker, kept in memory.

import { HighwaterError } from "./failure.js";
import { tell } from "./feed.js";

/** Opens the keys: `{ fingerprint, secret }` each. A key is a key file's bytes or a `Blob` of them, maybe as `{ file, passphrase }`. */
export async function openKeys(crew, keys = [], signal = undefined) {
    if (keys.length > 0) await crew.widen();
    const opened = [];
    for (const [number, key] of keys.entries()) opened.push(await openKey(crew, key, number, signal));
    return opened;
}

async function openKey(crew, key, number, signal) {
    if (ArrayBuffer.isView(key?.secret) && typeof key.fingerprint === "string") return key;
    const { file, passphrase = "" } = key?.file === undefined ? { file: key } : key;
    if (typeof passphrase !== "string") throw new HighwaterError("option", `the \`passphrase\` of key ${number + 1} must be a text`);
    const bytes = typeof file?.arrayBuffer === "function" ? new Uint8Array(await file.arrayBuffer()) : file;
    if (!ArrayBuffer.isView(bytes)) throw new HighwaterError("option", `key ${number + 1} is neither a file nor the bytes of one`);
    const opened = await crew.file((post) => post({ what: "key", file: bytes, passphrase }), { signal });
    if (opened === undefined) throw new HighwaterError("passphrase", `key ${number + 1} takes a passphrase`);
    return opened;
}

/** Which of the keys a root takes: the one that its points name, if it is among them, else the first. */
export async function choose(crew, root, keys, signal) {
    if (keys.length < 2) return keys[0]?.secret;
    const { points } = await look(crew, root, signal);
    const named = new Set(points.map(({ key }) => key));
    return (keys.find(({ fingerprint }) => named.has(fingerprint)) ?? keys[0]).secret;
}

/** The points of a root and what is wrong with its indices, as the engine lists them. */
export function look(crew, root, signal) {
    const options = { verb: "list", format: root.format, label: root.label, near: crew.engine.near };
    return crew.file((post) => tell(post, root, { what: "go", options }), { root, signal });
}
