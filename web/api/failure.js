// What goes wrong, as errors with a sentence and a code.

/**
 * An error with a `code`: `option` (one that makes no sense), `source` (there is no backup in it, or too many), `key`, `point`,
 * `unsupported` (by this browser) or `internal`.
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
