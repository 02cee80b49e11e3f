// The workers: each has an engine of its own, and does its shard of every root.

import { pause } from "./breathe.js";

/** Names that go to a worker at a time. */
const NAMES = 4000;

/** Files that go to a worker at a time: handing one over takes a fifth of a millisecond. */
const FILES = 48;

/** The most workers: past that, the disk is the limit. */
const MOST = 8;

const cores = () => navigator.hardwareConcurrency || 2;

/** How many workers to use: one a core. An address that ends in `#workers=2` says otherwise. */
export function workers() {
    const asked = Number(new URLSearchParams(location.hash.slice(1)).get("workers"));
    return Math.min(MOST, Math.max(1, Number.isInteger(asked) && asked > 0 ? asked : cores()));
}

/** A fixed number of workers. */
export class Pool {
    constructor(engine, count) {
        this.engine = engine;
        this.count = count;
        this.crew = [];
        /** Of workers that have a core to spare beside them, who makes SHA-256 digests there. */
        this.hashers = [];
        /** How to fail what each worker is doing, and how many jobs there were: every message bears the number of its job. */
        this.owners = [];
        this.jobs = 0;
    }

    /** Checks one root (`depth`, `point`, `strict`, `key`): gives the report of each shard, as the bytes of JSON. `hear` gets each worker's news. */
    check(root, options, hear) {
        const { label, format } = root;
        const parts = this.count;
        const job = (part) => ({ ...options, format, label, part, parts });
        const jobs = Array.from({ length: parts }, (_, at) => this.run(at, root, job(at + 1), (news) => hear(at, news)));
        return Promise.all(jobs);
    }

    /** The `format` that a root looks like, whether its names have `colons`, and whether it `restores`; undefined when it looks like none. */
    recognise(root) {
        return this.run(0, root, { recognise: true });
    }

    /** What a run came to, out of each root's reports. */
    conclude(roots, depth) {
        const bytes = roots.flat().map(({ buffer }) => buffer);
        return this.ask(0, ({ outcome }) => outcome, (post) => post({ what: "conclude", roots, depth }, bytes));
    }

    /** Restores a `point` with a `key`, in a worker of its own: `write` gets piece after piece, and the whole length. */
    restore(root, { point, key }, write) {
        return this.run(this.count, root, { format: root.format, point, key, restore: true }, null, write);
    }

    /** The key in a key file: `{ secret, fingerprint }`; `{ locked }` when it takes a passphrase and there is none. */
    open(file, passphrase) {
        return this.ask(this.count + 1, ({ key }) => key, (post) => post({ what: "key", file, passphrase }));
    }

    pause() {
        this.crew.forEach((worker) => worker.postMessage({ what: "pause" }));
    }

    resume() {
        this.crew.forEach((worker) => worker.postMessage({ what: "resume" }));
    }

    /** Ends all workers, whatever they do; whoever waits for them gets an error. New ones come when they are needed. */
    stop() {
        for (const workers of [this.crew, this.hashers]) workers.forEach((worker) => worker.terminate());
        [this.crew, this.hashers] = [[], []];
        this.owners.forEach((fail) => fail(new Stopped()));
        this.owners = [];
    }

    hire(at) {
        if (this.crew[at] === undefined) {
            this.crew[at] = this.begin();
            const port = at < Math.min(this.count, cores() - this.count) ? this.hasher() : null;
            this.crew[at].postMessage({ what: "module", module: this.engine.module, port }, port ? [port] : []);
        }
        return this.crew[at];
    }

    /** A worker that makes digests for whoever has the other end of this port. */
    hasher() {
        const { port1, port2 } = new MessageChannel();
        const worker = this.begin();
        worker.postMessage({ what: "serve", port: port1 }, [port1]);
        this.hashers.push(worker);
        return port2;
    }

    begin() {
        const address = URL.createObjectURL(new Blob([this.engine.worker], { type: "text/javascript" }));
        const worker = new Worker(address);
        URL.revokeObjectURL(address);
        return worker;
    }

    /** Has worker `at` do a job on a root: gives what `done` or `recognised` says. */
    run(at, root, options, hear, write) {
        const result = ({ report, known }) => report ?? known;
        return this.ask(at, result, (post) => begin(post, root, options), root, hear, write);
    }

    /**
     * Sends a request and answers the worker's own until it comes to a result. What belongs to an earlier request, on either
     * side, is passed over: its numbers may mean other files.
     */
    ask(at, result, send, root, hear, write) {
        const worker = this.hire(at);
        this.jobs += 1;
        const job = this.jobs;
        const post = (message, transfer = []) => worker.postMessage({ ...message, job }, transfer);
        this.owners[at]?.(new Stopped());
        return new Promise((give, fail) => {
            this.owners[at] = fail;
            const over = (end, what) => {
                if (this.owners[at] === fail) delete this.owners[at];
                end(what);
            };
            worker.onerror = (event) => over(fail, new Error(event.message));
            const answers = {
                need({ numbers, short }) {
                    if (numbers.length > 0) hand(post, root, numbers);
                    if (short.length > 0) readShort(post, root, short);
                },
                told: ({ news }) => hear(news),
                restored: ({ bytes, end }) => write(bytes, end).then(
                    () => post({ what: "written" }),
                    (error) => over(fail, error),
                ),
                broke: ({ message }) => over(fail, new Error(message)),
                done: (data) => over(give, result(data)),
                recognised: (data) => over(give, result(data)),
                concluded: (data) => over(give, result(data)),
                opened: (data) => over(give, result(data)),
            };
            worker.onmessage = ({ data }) => {
                if (data.job === job) answers[data.what](data);
            };
            send(post);
        });
    }
}

/** The person asked for an end, or for something else of the same worker. */
export class Stopped extends Error {
    constructor() {
        super("it was stopped");
    }
}

async function begin(post, root, options) {
    post({ what: "begin", options });
    for (let first = 0; first < root.names.length; first += NAMES) {
        const names = root.names.slice(first, first + NAMES);
        post({ what: "list", names, folders: root.folders.slice(first, first + NAMES), first });
        await pause();
    }
    post({ what: options.recognise ? "recognise" : "go" });
}

/** Reads the beginnings of short files and hands over the bytes. */
async function readShort(post, root, wants) {
    const read = ({ id, file, length }) =>
        beginning(root.opens[file], length).then(
            (bytes) => ({ id, bytes, last: bytes.length < length }),
            (error) => ({ id, error: error.message ?? String(error) }),
        );
    const answers = await Promise.all(wants.map(read));
    post({ what: "short", answers }, answers.flatMap(({ bytes }) => (bytes ? [bytes.buffer] : [])));
}

/**
 * The first bytes of a file, so many at most. By way of a stream: to cut a `File`, the browser must ask the disk for its size
 * first, on the page's thread.
 */
async function beginning(open, length) {
    const reader = (await open()).stream().getReader();
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

/** Opens files and hands them over, some at a time. */
async function hand(post, root, numbers) {
    for (let first = 0; first < numbers.length; first += FILES) {
        const some = numbers.slice(first, first + FILES);
        const errors = new Array(some.length).fill("");
        const open = (number, at) =>
            root.opens[number]().catch((error) => {
                errors[at] = error.message;
                return null;
            });
        const files = await Promise.all(some.map(open));
        post({ what: "files", numbers: some, files, errors });
        await pause();
    }
}
