// Unpacks the engine out of the script that carries it.

/** How many bytes are unpacked without a break, in which the page can do something else. */
const STRETCH = 200_000;

/** The engine for a `Crew`: the compiled module, and workers of the script; the page's own thread has no work for either. */
export async function unpack() {
    const [script, module] = [await part(), await part()];
    return { script, near: true, hire: () => hire(script), module: await WebAssembly.compile(module) };
}

/** The next part of what is packed. */
async function part() {
    while (!ENGINE.unpack(STRETCH)) await new Promise((go) => setTimeout(go));
    return ENGINE.take();
}

function hire(script) {
    const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
    const worker = new Worker(address);
    URL.revokeObjectURL(address);
    return worker;
}
