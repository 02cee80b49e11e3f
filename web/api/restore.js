// Gives out a point in time: checked bytes, in order.

import { HighwaterError, aborted } from "./failure.js";
import { choose, openKeys } from "./keys.js";
import { find, pickOne } from "./roots.js";

/**
 * Begins to restore a `point` as a stream of bytes, once the first of them are there. A stream that fails was worth nothing: what
 * it gave is to be thrown away. `over` is called when nothing more comes, and `named` with the
 * point's name when all came.
 */
export async function give(crew, source, { point, root, keys, signal, onProgress }, { over = () => {}, named = () => {} } = {}) {
    if (typeof point !== "string" || point === "") throw new HighwaterError("option", "say which point to restore; `list` names them");
    const one = pickOne(await find(crew, source, { signal }), root);
    const opened = await openKeys(crew, keys, signal);
    const key = await choose(crew, one, opened, signal);
    const options = { verb: "restore", format: one.format, label: one.label, point, key, near: crew.engine.near };
    let began;
    let failed;
    const beginning = new Promise((yes, no) => {
        [began, failed] = [yes, no];
    });
    const pieces = { done: 0, go: null };
    const stream = new ReadableStream({
        start(controller) {
            const write = async (bytes, end) => {
                pieces.done += bytes.length;
                controller.enqueue(bytes);
                await onProgress?.({ done: pieces.done, expected: end, complete: true });
                began();
                if (controller.desiredSize > 0) return;
                crew.hold(false);
                await new Promise((go) => {
                    pieces.go = go;
                });
            };
            const running = crew.run(crew.restorer, one, { what: "go", options }, { write, signal });
            const end = running.then(
                (name) => {
                    named(name);
                    controller.close();
                    began();
                },
                (error) => {
                    const why = signal?.aborted ? aborted(signal) : error;
                    controller.error(why);
                    failed(why);
                },
            );
            end.then(over, over);
        },
        pull() {
            crew.hold(true);
            pieces.go?.();
        },
        cancel() {
            crew.dismiss([crew.restorer], new DOMException("nobody reads on", "AbortError"));
        },
    });
    await beginning;
    return stream;
}
