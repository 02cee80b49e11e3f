// Brings the engine to life out of the script that carries it.

/** The compiled module, for workers, and the classes, for the page itself. */
export async function loadEngine() {
    const compressed = Uint8Array.from(atob(ENGINE.wasm), (c) => c.charCodeAt(0));
    const stream = new Blob([compressed]).stream().pipeThrough(new DecompressionStream("gzip"));
    const module = await WebAssembly.compile(await new Response(stream).arrayBuffer());
    wasm_bindgen.initSync({ module });
    return { module, engine: wasm_bindgen };
}
