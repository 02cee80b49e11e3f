// The engine of the package: the module and the worker's script lie beside this file.

import { HighwaterError } from "./failure.js";

const NODE = globalThis.process?.versions?.node !== undefined;

const UNSUPPORTED = "the engine cannot be compiled here: it needs WebAssembly with SIMD (Chrome 91, Firefox 113, Safari 16.4, node 18)";

let loaded = null;

/** The engine, compiled once: see `Crew`. */
export function engine() {
    loaded ??= (NODE ? inNode() : inBrowser()).catch((error) => {
        loaded = null;
        throw error;
    });
    return loaded;
}

async function inBrowser() {
    const answer = await fetch(new URL("./highwater.wasm", import.meta.url));
    if (!answer.ok) throw new HighwaterError("internal", `highwater.wasm is not beside its scripts: ${answer.status}`);
    const module = await compiled(await answer.arrayBuffer());
    return { module, near: true, hire: () => new Worker(new URL("./worker.js", import.meta.url), { type: "module" }) };
}

async function inNode() {
    const [{ readFile }, threads] = await Promise.all([import("node:fs/promises"), import("node:worker_threads")]);
    const module = await compiled(await readFile(new URL("./highwater.wasm", import.meta.url)));
    return { module, near: false, hire: () => new Thread(new threads.Worker(new URL("./worker.js", import.meta.url))) };
}

function compiled(bytes) {
    return WebAssembly.compile(bytes).catch((error) => {
        throw new HighwaterError("unsupported", `${UNSUPPORTED}: ${error.message}`);
    });
}

/** A thread of node's, spoken to as a worker of a browser. */
class Thread {
    constructor(thread) {
        this.thread = thread;
        thread.on("message", (data) => this.onmessage?.({ data }));
        thread.on("error", (error) => this.onerror?.({ message: error.message }));
    }

    postMessage(message, transfer) {
        this.thread.postMessage(message, transfer);
    }

    terminate() {
        this.thread.terminate();
    }
}
