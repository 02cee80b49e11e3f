// The workers: each has an engine of its own, and does its part of every root.

import { HighwaterError, aborted } from "./failure.js";
import { begin, hand, tell } from "./feed.js";

/** The most workers: past that, the disk is the limit. */
const MOST = 8;

const cores = () => globalThis.navigator?.hardwareConcurrency || 2;

/**
 * A fixed number of workers, one a core unless it is said. `engine` has the compiled `module`, how to `hire` a worker that runs
 * the engine's script, and whether it is `near`: files are read by way of the browser, a page at hand is faster with short ones,
 * and digests are made in workers of their own. One that does not know every format and opens no keys gives the `whole` one.
 */
export class Crew {
    constructor(engine, count = cores()) {
        if (!Number.isInteger(count) || count < 1) throw new HighwaterError("option", "the number of workers must be 1 or more");
        this.engine = engine;
        this.count = Math.min(MOST, count);
        this.workers = [];
        /** How to fail what each worker is doing, and how many requests there were: every message bears the number of its own. */
        this.owners = [];
        this.requests = 0;
        this.paused = false;
        /** The clerk does one thing after another. */
        this.busy = Promise.resolve();
    }

    /** The parts of a check: one for each worker. */
    get parts() {
        return Array.from({ length: this.count }, (_, at) => at);
    }

    /** Places of workers who do one thing at a time beside a check: the restore of a point, and all else. */
    get restorer() {
        return this.count;
    }

    get clerk() {
        return this.count + 1;
    }

    pause() {
        this.paused = true;
        this.workers.forEach(({ worker }) => worker.postMessage({ what: "pause" }));
    }

    resume() {
        this.paused = false;
        this.workers.forEach(({ worker }) => worker.postMessage({ what: "resume" }));
    }

    /** Work that is begun from now on is done by an engine that knows every format and opens keys. */
    async widen() {
        if (this.engine.whole) this.engine = await this.engine.whole();
    }

    /** Ends all workers, whatever they do; whoever waits for them gets an `AbortError`. New ones come when they are needed. */
    stop() {
        this.dismiss([...this.workers.keys()], new DOMException("it was stopped", "AbortError"));
    }

    /** Ends the workers of these places, whatever they do; whoever waits for them gets `why`. */
    dismiss(places, why) {
        for (const at of places) {
            const hired = this.workers[at];
            hired?.worker.terminate();
            hired?.helper?.terminate();
            delete this.workers[at];
            const fail = this.owners[at];
            delete this.owners[at];
            fail?.(why);
        }
    }

    /** Whether the workers keep node from its end: not where a stream waits that nobody may ever read. */
    hold(yes) {
        for (const { worker } of this.workers.filter(Boolean)) worker.hold?.(yes);
    }

    /** Has the clerk do something, once it has done all else: see `ask`. */
    file(send, hear) {
        const done = this.busy.then(() => this.ask(this.clerk, send, hear));
        this.busy = done.catch(() => {});
        return done;
    }

    /** Has worker `at` do something with a root: see `ask`. */
    run(at, root, last, hear) {
        return this.ask(at, (post) => tell(post, root, last), { root, ...hear });
    }

    /**
     * Sends a request and answers the worker's own until it comes to a result. What belongs to an earlier request, on either
     * side, is passed over: its numbers may mean other files. `told` gets news, `write` pieces, to be awaited; once `signal` is
     * aborted, the workers of `places` end.
     */
    ask(at, send, { root, told, write, signal, places = [at] } = {}) {
        if (signal?.aborted) return Promise.reject(aborted(signal));
        const { worker } = this.hire(at);
        this.requests += 1;
        const job = this.requests;
        const post = (message, transfer = []) => worker.postMessage({ ...message, job }, transfer);
        this.owners[at]?.(new DOMException("something else is done in its place", "AbortError"));
        return new Promise((give, fail) => {
            const stop = () => this.dismiss(places, aborted(signal));
            const leave = () => {
                if (this.owners[at] === lose) delete this.owners[at];
                signal?.removeEventListener("abort", stop);
            };
            const lose = (why) => {
                leave();
                fail(why);
            };
            const spoiled = (why) => {
                // It is in the middle of something: the next request gets a new one.
                if (this.owners[at] === lose) this.dismiss([at], why);
                lose(why);
            };
            this.owners[at] = lose;
            signal?.addEventListener("abort", stop);
            worker.onerror = (event) => spoiled(new HighwaterError("internal", event.message));
            const answers = {
                need({ numbers, short }) {
                    if (numbers.length > 0) hand(post, root, numbers).catch(spoiled);
                    if (short.length > 0) begin(post, root, short).catch(spoiled);
                },
                told({ news }) {
                    // Who hears of it is a program's function: what it throws fails what it hears of.
                    new Promise((give) => {
                        give(told?.(news));
                    }).catch(spoiled);
                },
                restored: ({ bytes, end }) => write(bytes, end).then(() => post({ what: "written" }), spoiled),
                broke: ({ code, message }) => lose(new HighwaterError(code, message)),
                done({ result }) {
                    leave();
                    give(result);
                },
            };
            worker.onmessage = ({ data }) => {
                if (data.job === job && this.owners[at] === lose) answers[data.what](data);
            };
            Promise.resolve(send(post)).catch(spoiled);
        });
    }

    hire(at) {
        if (this.workers[at] !== undefined && this.workers[at].engine !== this.engine) {
            this.dismiss([at], new DOMException("a worker with another engine takes its place", "AbortError"));
        }
        if (this.workers[at] === undefined) {
            const { engine } = this;
            const { module } = engine;
            const worker = engine.hire();
            const apart = engine.near && at < Math.min(this.count, cores() - this.count);
            const [helper, port] = apart ? this.help(module) : [null, null];
            this.workers[at] = { engine, worker, helper };
            worker.postMessage({ what: "module", module, port }, port ? [port] : []);
            if (this.paused) worker.postMessage({ what: "pause" });
        }
        return this.workers[at];
    }

    /** A worker with a core to spare, that makes digests for whoever has the other end of this port. */
    help(module) {
        const { port1, port2 } = new MessageChannel();
        const worker = this.engine.hire();
        worker.postMessage({ what: "serve", module, port: port1 }, [port1]);
        return [worker, port2];
    }
}
