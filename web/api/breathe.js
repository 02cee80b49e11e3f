// Long work on the page's own thread is cut into slices, so that the page never freezes.

import { aborted } from "./failure.js";

/** The longest slice, in milliseconds. */
const SLICE = 12;

/** A function to await now and then: it lets the page live when the slice is used up, and fails once `signal` is aborted. */
export function breather(signal) {
    let began = performance.now();
    return async () => {
        if (performance.now() - began > SLICE) {
            await pause();
            began = performance.now();
        }
        if (signal?.aborted) throw aborted(signal);
    };
}

/** Lets everything that waits for the page's thread have its turn. */
export function pause() {
    return new Promise((resume) => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => {
            port1.close();
            resume();
        };
        port2.postMessage(null);
    });
}
