// What goes wrong, as errors with a sentence and a code.

/**
 * An error with a `code`: `option` (one that makes no sense), `source` (there is no backup in it, or too many), `key`, `passphrase`,
 * `point`, `unsupported` (by this browser) or `internal`.
 */
export class HighwaterError extends Error {
    constructor(code, message) {
        super(message);
        this.name = "HighwaterError";
        this.code = code;
    }
}

/** What an aborted signal stands for: its own reason, which is an `AbortError` unless somebody said otherwise. */
export function aborted(signal) {
    return signal.reason ?? new DOMException("it was stopped", "AbortError");
}

/** What is promised, unless the signal is aborted before: what hangs then, as a folder of a network, is waited for no longer. */
export async function unlessAborted(signal, promised) {
    if (signal === undefined) return promised;
    let stop;
    const stopped = new Promise((_, fail) => {
        stop = () => fail(aborted(signal));
        if (signal.aborted) stop();
        else signal.addEventListener("abort", stop);
    });
    try {
        return await Promise.race([promised, stopped]);
    } finally {
        signal.removeEventListener("abort", stop);
    }
}
