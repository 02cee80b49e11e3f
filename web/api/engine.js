// The engine of the package: its modules and the scripts of their workers lie beside this file.

import { HighwaterError } from "./failure.js";
import { once } from "./once.js";

const NODE = globalThis.process?.versions?.node !== undefined;

const UNSUPPORTED = "the engine cannot be compiled here: it needs WebAssembly with SIMD (Chrome 91, Firefox 113, Safari 16.4, node 18)";

/** The engine for a `Crew`. A browser loads what repozo repositories take first, and the whole when something else is there. */
export const engine = once(NODE ? inNode : first);

async function first() {
    const module = await fetched(new URL("./repozo.wasm", import.meta.url));
    return { module, near: true, hire: () => new Worker(new URL("./repozo.js", import.meta.url), { type: "module" }), whole };
}

const whole = once(async () => {
    const module = await fetched(new URL("./highwater.wasm", import.meta.url));
    return { module, near: true, hire: () => new Worker(new URL("./worker.js", import.meta.url), { type: "module" }) };
});

async function fetched(address) {
    const answer = await fetch(address);
    if (!answer.ok) throw new HighwaterError("internal", `${address} is not there, as the package has it: ${answer.status}`);
    return compiled(await answer.arrayBuffer());
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

    hold(yes) {
        if (yes) this.thread.ref();
        else this.thread.unref();
    }

    terminate() {
        this.thread.terminate();
    }
}
