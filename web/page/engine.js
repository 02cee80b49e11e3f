// Unpacks the engine out of the script that carries it.

/** The compiled module, for the workers: the page's own thread has no work for it. */
export async function compile() {
    const compressed = Uint8Array.from(atob(ENGINE.wasm), (c) => c.charCodeAt(0));
    const stream = new Blob([compressed]).stream().pipeThrough(new DecompressionStream("gzip"));
    return WebAssembly.compile(await new Response(stream).arrayBuffer());
}
