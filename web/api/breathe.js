// Long work on the page's own thread is cut into slices, so that the page never freezes.

/** The longest slice, in milliseconds. */
const SLICE = 12;

/** A function to await now and then: it lets the page live when the slice is used up. */
export function breather() {
    let began = performance.now();
    return async () => {
        if (performance.now() - began > SLICE) {
            await pause();
            began = performance.now();
        }
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
