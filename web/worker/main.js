// A worker: owns one engine and does one shard of one root at a time. It never asks for anything but files of the page.

import { Hasher, serve } from "./hasher.js";
import { Reads } from "./reads.js";
import { conclude } from "./conclude.js";
import { updates } from "./updates.js";

/** How often the page hears how far it is, in milliseconds. */
const TELL = 80;

let engine = null;

/** Makes SHA-256 digests; none where the browser has none for pages, as where a server gives them over plain http. */
let hasher = null;

let job = null;
let paused = false;

/** The number of the job at hand. A message that bears another is of an earlier one, whose numbers mean other files. */
let current = 0;

function post(message, transfer = []) {
    postMessage({ ...message, job: current }, transfer);
}

/** Begins a job: a survey of one shard, the restore of a point, or a look at a listing. */
function begin({ options }) {
    job?.reads?.close();
    job = { options, listing: new engine.Listing(), reads: null, survey: null, told: 0, queued: false, held: false };
}

/** Takes entries of the root's listing: names, with 1 for each that is a folder, numbered from `first`. */
function list({ names, folders, first }) {
    names.forEach((name, at) => job.listing.add(name, folders[at] === 1, first + at));
}

/** The listing is complete. */
function go() {
    const { format, label, depth, point, strict, part, parts, restore, key } = job.options;
    job.survey = restore
        ? new engine.Restore(job.listing, format, point, key ?? undefined)
        : new engine.Survey(job.listing, format, label, depth, point ?? undefined, strict, part, parts, key ?? undefined);
    job.restoring = restore === true;
    if (!restore && hasher) job.survey.askDigests();
    const ask = (numbers, short) => post({ what: "need", numbers, short });
    job.reads = new Reads(job.survey, hasher, ask, () => queue(job));
    turn(job);
}

/** Turns once everything that is ready now has been taken. */
function queue(of) {
    if (!of.queued) {
        of.queued = true;
        queueMicrotask(() => {
            of.queued = false;
            if (of === job) guarded(() => turn(of));
        });
    }
}

function turn(of) {
    if (paused || of.survey === null) return;
    if (of.restoring) {
        turnRestore(of);
        return;
    }
    of.survey.step();
    const done = of.survey.done();
    const now = performance.now();
    if (done || now - of.told >= TELL) {
        of.told = now;
        for (let more = true; more; ) {
            const news = updates(of.survey.told(of.options.part === 1));
            more = news.more;
            post({ what: "told", news }, news.transfer);
        }
    }
    if (done) {
        const report = of.survey.finish();
        // It may be twenty megabytes long: as bytes it is handed over, as a text the page's thread would copy it twice.
        const bytes = new TextEncoder().encode(report.json());
        post({ what: "done", report: bytes }, [bytes.buffer]);
        report.free();
        end();
        return;
    }
    of.reads.start(of.survey.wants());
}

/** Hands one piece out; the page asks for the next when it has written that one. */
function turnRestore(of) {
    if (of.held) return;
    const bytes = of.survey.step();
    if (bytes !== undefined) {
        of.held = true;
        post({ what: "restored", bytes, end: of.survey.end() }, [bytes.buffer]);
    } else if (of.survey.done()) {
        post({ what: "done" });
        of.survey.free();
        end();
        return;
    }
    of.reads.start(of.survey.wants());
}

function end() {
    job.reads.close();
    job.survey = null;
    job = null;
}

/** What goes wrong here is the program's fault, or a request that makes no sense: the page must hear of it. */
function broke(error) {
    job?.reads?.close();
    job = null;
    post({ what: "broke", message: error.message ?? String(error) });
}

function guarded(work) {
    try {
        work();
    } catch (error) {
        broke(error);
    }
}

/** What is said to the worker, whatever it does. */
const ALWAYS = {
    module({ module, port }) {
        const { memory } = wasm_bindgen.initSync({ module });
        if (globalThis.crypto?.subtle) hasher = new Hasher(memory, port);
        engine = wasm_bindgen;
    },
    serve({ port }) {
        serve(port);
    },
    pause() {
        paused = true;
    },
    resume() {
        paused = false;
        if (job) queue(job);
    },
};

/** What a job begins with. */
const BEGINNINGS = {
    begin,
    conclude({ roots, depth }) {
        post({ what: "concluded", outcome: conclude(engine, roots, depth) });
    },
    key({ file, passphrase }) {
        const opened = engine.Key.open(file, passphrase);
        const key = opened && { secret: opened.secret, fingerprint: opened.fingerprint };
        opened?.free();
        post({ what: "opened", key: key ?? { locked: true } });
    },
};

/** What goes on with a job that was begun and is not over. */
const CONTINUATIONS = {
    list,
    go,
    /** Says what the listing looks like; nothing is begun with it. */
    recognise() {
        const [format, colons, restores] = [job.listing.format(), job.listing.colons(), job.listing.restores()];
        job.listing.free();
        job = null;
        post({ what: "recognised", known: format && { format, colons, restores } });
    },
    files({ numbers, files, errors }) {
        job.reads.take(numbers, files, errors);
    },
    short({ answers }) {
        job.reads.takeShort(answers);
    },
    written() {
        job.held = false;
        queue(job);
    },
};

onmessage = ({ data }) => {
    guarded(() => {
        if (data.what in ALWAYS) {
            ALWAYS[data.what](data);
        } else if (data.what in BEGINNINGS) {
            current = data.job;
            BEGINNINGS[data.what](data);
        } else if (data.job === current && job !== null) {
            CONTINUATIONS[data.what](data);
        }
    });
};
onunhandledrejection = ({ reason }) => broke(reason);
