// Checks backups: every worker does its part of every root, and one puts their reports together.

import { Ear } from "./ear.js";
import { HighwaterError, aborted } from "./failure.js";
import { choose, openKeys } from "./keys.js";
import { Report } from "./report.js";
import { find, pick } from "./roots.js";

/** What a claim came to, by the engine's numbers. */
const [DAMAGED, UNREADABLE] = [2, 3];

/** Checks what is in a source and gives its report. `onNews` hears, for who draws it, what the parts tell of single claims. */
export async function check(crew, source, options = {}) {
    const { depth = "digest", point, root, keys, strict = false, listed, signal } = options;
    const [onProgress, onNews] = [new Ear(options.onProgress), new Ear(options.onNews)];
    const roots = pick(await find(crew, source, { signal }), root);
    const opened = await openKeys(crew, keys, signal);
    const progress = new Progress(crew.count, onProgress);
    const [reports, missing] = [[], []];
    try {
        for (const [number, one] of roots.entries()) {
            const key = await choose(crew, one, opened, signal);
            const { format, label } = one;
            const job = { verb: "verify", format, label, depth, point, strict, key, parts: crew.count, near: crew.engine.near };
            const parts = crew.parts.map((worker) => {
                const told = (news) => {
                    const told = progress.hear(number, worker, news);
                    return Promise.all([told, onNews.tell({ root: number, worker, ...news })]);
                };
                const last = { what: "go", options: { ...job, part: worker + 1 } };
                return crew.run(worker, one, last, { told, signal, places: crew.parts });
            });
            const all = await Promise.all(parts);
            // A part of a point that is not there says nothing of it: it is not there when none does.
            const absent = all.every(({ absent }) => absent !== undefined);
            if (absent) missing.push(all[0].absent);
            reports.push(absent ? [all[0].instead] : all.map(({ report }) => report));
        }
        // A root without the point does not hide what another's came to.
        if (missing.length > 0 && missing.length === roots.length) throw new HighwaterError("point", missing[0]);
        const bytes = reports.flat().map(({ buffer }) => buffer);
        const request = { what: "conclude", roots: reports, depth, strict, listed };
        const report = new Report(await crew.file((post) => post(request, bytes), { signal }));
        onProgress.expect();
        onNews.expect();
        return report;
    } catch (error) {
        // Who fails to hear has nothing more to hear.
        if (!onProgress.failed) progress.tell().catch(() => {});
        crew.dismiss(crew.parts, error);
        throw signal?.aborted ? aborted(signal) : error;
    }
}

/** How far all parts of all roots are. */
class Progress {
    constructor(count, listener) {
        this.count = count;
        this.listener = listener;
        this.parts = new Map();
        [this.settled, this.damaged, this.unreadable] = [0, 0, 0];
    }

    hear(root, worker, { progress, settled }) {
        this.parts.set(root * this.count + worker, progress);
        for (let at = 1; at < settled.length; at += 2) {
            this.damaged += settled[at] === DAMAGED ? 1 : 0;
            this.unreadable += settled[at] === UNREADABLE ? 1 : 0;
        }
        this.settled += settled.length / 2;
        return this.tell();
    }

    tell() {
        const { settled, damaged, unreadable } = this;
        let [done, expected, complete] = [0, 0, this.parts.size > 0];
        for (const part of this.parts.values()) {
            done += part.done;
            expected += part.expected;
            complete &&= part.complete;
        }
        return this.listener.tell({ done, expected, complete, settled, damaged, unreadable });
    }
}
