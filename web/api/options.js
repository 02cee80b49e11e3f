// The options of a call, as a program gives them: what makes no sense is refused by its name before anything is begun.

import { HighwaterError } from "./failure.js";

const isCount = (from) => (some) => Number.isInteger(some) && some >= from && some <= 0xffffffff;
const isFunction = (some) => typeof some === "function";
const isText = (some) => typeof some === "string";
const isList = (some) => typeof some === "object" && some !== null && typeof some[Symbol.iterator] === "function";

/** Of each option what it must be, and how that is said. */
const RULES = {
    depth: [isText, "a text: list, size, digest or deep"],
    point: [isText, "the name of a point"],
    root: [isText, "the label of a backup"],
    keys: [(some) => isList(some) && !ArrayBuffer.isView(some), "a list of keys"],
    strict: [(some) => typeof some === "boolean", "true or false"],
    workers: [isCount(1), "1 or more"],
    listed: [isCount(0), "a number of points"],
    objects: [(some) => isList(some) && [...some].every(isText), "a list of names"],
    most: [isCount(0), "a number of files"],
    passphrase: [isText, "a text"],
    signal: [(some) => typeof some?.aborted === "boolean" && isFunction(some.addEventListener), "an AbortSignal"],
    to: [(some) => isFunction(some?.getWriter) && isFunction(some.abort), "a WritableStream"],
    onProgress: [isFunction, "a function"],
    onNews: [isFunction, "a function"],
    onFound: [isFunction, "a function"],
};

/** What is said of some in other words. */
const SAID = { workers: "the number of workers must be 1 or more" };

/** The options, each of which is undefined or makes sense by itself; a call that was aborted before fails with the reason. */
export function checked(options) {
    if (typeof options !== "object" || options === null) throw new HighwaterError("option", "the options must be an object");
    for (const [name, [isRight, what]] of Object.entries(RULES)) {
        if (options[name] === undefined || isRight(options[name])) continue;
        throw new HighwaterError("option", SAID[name] ?? `\`${name}\` must be ${what}`);
    }
    const taken = { ...options };
    for (const name of ["keys", "objects"]) if (taken[name] !== undefined) taken[name] = [...taken[name]];
    return taken;
}
