// Unpacks the engine out of the script that carries it.

import { HighwaterError } from "../api/failure.js";
import { once } from "../api/once.js";

/** How many bytes are unpacked without a break, in which the page can do something else. */
const STRETCH = 200_000;

/**
 * The engine for a `Crew`: the compiled module, and workers of the script; the page's own thread has no work for either. What a
 * page loads first may be a part: then `REST` is the script that has the whole.
 */
export async function unpack() {
    const engine = await unpacked(ENGINE);
    if (REST === null) return engine;
    return { ...engine, whole: once(rest) };
}

async function unpacked(packed) {
    const [script, module] = [await part(packed), await part(packed)];
    return { script, near: true, hire: () => hire(script), module: await WebAssembly.compile(module) };
}

/** The next part of what is packed. */
async function part(packed) {
    while (!packed.unpack(STRETCH)) await new Promise((go) => setTimeout(go));
    return packed.take();
}

/** Loads the whole engine. */
async function rest() {
    const script = document.createElement("script");
    script.src = REST;
    await new Promise((give, fail) => {
        script.onload = give;
        script.onerror = () => fail(new HighwaterError("internal", `${REST}, which this kind of backup takes, is not beside the page`));
        document.head.append(script);
    });
    return unpacked(WHOLE);
}

function hire(script) {
    const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
    const worker = new Worker(address);
    URL.revokeObjectURL(address);
    return worker;
}
