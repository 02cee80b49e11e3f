// What programs call: each call has workers of its own, which end with it.

import { Crew } from "./crew.js";
import { engine } from "./engine.js";
import { HighwaterError, aborted, unlessAborted } from "./failure.js";
import { filesOf } from "./files.js";
import { catalogue } from "./list.js";
import { openKeys } from "./keys.js";
import { checked } from "./options.js";
import { Report } from "./report.js";
import { give } from "./restore.js";
import { Backups, find } from "./roots.js";
import { check } from "./verify.js";

export { Backups, HighwaterError, Report };

/** Checks what is in a source: see `highwater.d.ts` for all options. */
export function verify(source, options = {}) {
    return alone(options, (crew, options) => check(crew, source, options), null);
}

/** Lists the points of each backup in a source. */
export function list(source, options = {}) {
    return alone(options, (crew, options) => catalogue(crew, source, options));
}

/** Names the files of a point that is a tree. */
export function files(source, options = {}) {
    return alone(options, (crew, options) => filesOf(crew, source, options));
}

/** The backups in a source, which may be a source itself: what is asked of it again is not looked for again. */
export function backups(source, options = {}) {
    return alone(options, (crew, options) => find(crew, source, options));
}

/** Opens a key file. */
export function openKey(file, passphrase = "") {
    return alone({ passphrase }, async (crew) => (await openKeys(crew, [{ file, passphrase }]))[0]);
}

/** Restores a point: into a stream that is `to` take it, or as a stream. */
export async function restore(source, given = {}) {
    let crew;
    try {
        const options = checked(given);
        crew = await hired(1, options.signal);
        let point;
        const named = (name) => {
            point = name;
        };
        const stream = await give(crew, source, options, { over: () => crew.stop(), named });
        if (options.to === undefined) return stream;
        let bytes = 0;
        const counted = new TransformStream({
            transform(piece, to) {
                bytes += piece.length;
                to.enqueue(piece);
            },
        });
        await stream.pipeThrough(counted).pipeTo(options.to, { signal: options.signal });
        return { point, bytes };
    } catch (error) {
        crew?.stop();
        // What failed while it was piped was aborted by that.
        await abandon(given?.to, error);
        throw error;
    }
}

/** Aborts what was to be written, if it is anything that can be. */
async function abandon(to, error) {
    if (typeof to?.abort === "function") await Promise.resolve(to.abort(error)).catch(() => {});
}

/** Workers for a call; none are hired for one that was aborted before it began. */
async function hired(workers, signal) {
    if (signal?.aborted) throw aborted(signal);
    return new Crew(await unlessAborted(signal, engine()), workers);
}

/** Does something with workers of its own, so many or as the options say, and ends them. */
async function alone(options, work, workers = 1) {
    const taken = checked(options);
    const crew = await hired(workers ?? taken.workers, taken.signal);
    try {
        return await work(crew, taken);
    } finally {
        crew.stop();
    }
}
