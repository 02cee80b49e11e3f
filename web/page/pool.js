// The workers: each has an engine of its own, and does its shard of every root.

import { pause } from "./breathe.js";

/** Names that go to a worker at a time. */
const NAMES = 4000;

/** Files that go to a worker at a time: handing one over takes a fifth of a millisecond. */
const FILES = 48;

/** The most workers: past that, the disk is the limit. */
const MOST = 8;

/** How many workers to use: one a core. An address that ends in `#workers=2` says otherwise. */
export function workers() {
    const asked = Number(new URLSearchParams(location.hash.slice(1)).get("workers"));
    const cores = navigator.hardwareConcurrency || 2;
    return Math.min(MOST, Math.max(1, Number.isInteger(asked) && asked > 0 ? asked : cores));
}

/** A fixed number of workers. */
export class Pool {
    constructor(module, count) {
        this.module = module;
        this.count = count;
        this.crew = [];
        this.stopped = null;
    }

    /** Checks one root at a depth: gives the report of each shard, as JSON. `hear` gets each worker's news. */
    check(root, { depth, point, strict }, hear) {
        const { label, format } = root;
        const parts = this.count;
        const job = (part) => ({ format, label, depth, point, strict, part, parts });
        const jobs = Array.from({ length: parts }, (_, at) => this.run(at, root, job(at + 1), (news) => hear(at, news)));
        return Promise.all(jobs);
    }

    /** Restores a point: `write` gets piece after piece, and the whole length. */
    restore(root, point, write) {
        return this.run(0, root, { format: root.format, point, restore: true }, null, write);
    }

    pause() {
        this.crew.forEach((worker) => worker.postMessage({ what: "pause" }));
    }

    resume() {
        this.crew.forEach((worker) => worker.postMessage({ what: "resume" }));
    }

    /** Ends all workers, whatever they do; whoever waits for them gets an error. New ones come when they are needed. */
    stop() {
        this.crew.forEach((worker) => worker.terminate());
        this.crew = [];
        this.stopped?.forEach((fail) => fail(new Stopped()));
        this.stopped = null;
    }

    hire(at) {
        if (this.crew[at] === undefined) {
            const address = URL.createObjectURL(new Blob([ENGINE.worker], { type: "text/javascript" }));
            this.crew[at] = new Worker(address);
            URL.revokeObjectURL(address);
            this.crew[at].postMessage({ what: "module", module: this.module });
        }
        return this.crew[at];
    }

    run(at, root, options, hear, write) {
        const worker = this.hire(at);
        return new Promise((give, fail) => {
            this.stopped ??= new Set();
            this.stopped.add(fail);
            const over = (end, result) => {
                this.stopped?.delete(fail);
                end(result);
            };
            worker.onerror = (event) => over(fail, new Error(event.message));
            worker.onmessage = async ({ data }) => {
                if (data.what === "need") hand(worker, root, data.numbers);
                else if (data.what === "told") hear(data.news);
                else if (data.what === "done") over(give, data.report);
                else if (data.what === "broke") over(fail, new Error(data.message));
                else if (data.what === "restored") {
                    try {
                        await write(data.bytes, data.end);
                        worker.postMessage({ what: "written" });
                    } catch (error) {
                        over(fail, error);
                    }
                }
            };
            begin(worker, root, options);
        });
    }
}

/** The person asked for an end. */
export class Stopped extends Error {}

async function begin(worker, root, options) {
    worker.postMessage({ what: "begin", options });
    for (let first = 0; first < root.names.length; first += NAMES) {
        const names = root.names.slice(first, first + NAMES);
        worker.postMessage({ what: "list", names, folders: root.folders.slice(first, first + NAMES), first });
        await pause();
    }
    worker.postMessage({ what: "go" });
}

/** Opens files and hands them over, some at a time. */
async function hand(worker, root, numbers) {
    for (let first = 0; first < numbers.length; first += FILES) {
        const some = numbers.slice(first, first + FILES);
        const errors = new Array(some.length).fill("");
        const open = (number, at) =>
            root.opens[number]().catch((error) => {
                errors[at] = error.message;
                return null;
            });
        const files = await Promise.all(some.map(open));
        worker.postMessage({ what: "files", numbers: some, files, errors });
        await pause();
    }
}
