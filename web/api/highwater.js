// What programs call: each call has workers of its own, which end with it.

import { Crew } from "./crew.js";
import { engine } from "./engine.js";
import { HighwaterError } from "./failure.js";
import { filesOf } from "./files.js";
import { catalogue } from "./list.js";
import { openKeys } from "./keys.js";
import { Report } from "./report.js";
import { give } from "./restore.js";
import { Backups, find } from "./roots.js";
import { check } from "./verify.js";

export { Backups, HighwaterError, Report };

/** Checks what is in a source: see `highwater.d.ts` for all options. */
export function verify(source, options = {}) {
    return alone(options.workers, (crew) => check(crew, source, options));
}

/** Lists the points of each backup in a source. */
export function list(source, options = {}) {
    return alone(1, (crew) => catalogue(crew, source, options));
}

/** Names the files of a point that is a tree. */
export function files(source, options = {}) {
    return alone(1, (crew) => filesOf(crew, source, options));
}

/** The backups in a source, which may be a source itself: what is asked of it again is not looked for again. */
export function backups(source, options = {}) {
    return alone(1, (crew) => find(crew, source, options));
}

/** Opens a key file. */
export function openKey(file, passphrase = "") {
    return alone(1, async (crew) => (await openKeys(crew, [{ file, passphrase }]))[0]);
}

/** Restores a point: into a stream that is `to` take it, or as a stream. */
export async function restore(source, options = {}) {
    const crew = new Crew(await engine(), 1);
    try {
        const stream = await give(crew, source, options, () => crew.stop());
        if (options.to === undefined) return stream;
        let bytes = 0;
        const counted = new TransformStream({
            transform(piece, to) {
                bytes += piece.length;
                to.enqueue(piece);
            },
        });
        await stream.pipeThrough(counted).pipeTo(options.to, { signal: options.signal });
        return { point: options.point, bytes };
    } catch (error) {
        crew.stop();
        // What failed while it was piped was aborted by that.
        await options.to?.abort(error).catch(() => {});
        throw error;
    }
}

/** Does something with workers of its own, and ends them. */
async function alone(workers, work) {
    const crew = new Crew(await engine(), workers);
    try {
        return await work(crew);
    } finally {
        crew.stop();
    }
}
