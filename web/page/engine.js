// Unpacks the engine out of the script that carries it.

/** The engine for a `Crew`: the compiled module, and workers of the script; the page's own thread has no work for either. */
export async function unpack() {
    const stream = new Blob([bytes(ENGINE)]).stream().pipeThrough(new DecompressionStream("gzip"));
    const payload = await new Response(stream).arrayBuffer();
    const length = new DataView(payload).getUint32(0, true);
    const script = new TextDecoder().decode(payload.slice(4, 4 + length));
    return { script, near: true, hire: () => hire(script), module: await WebAssembly.compile(payload.slice(4 + length)) };
}

function hire(script) {
    const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
    const worker = new Worker(address);
    URL.revokeObjectURL(address);
    return worker;
}

/** Seven bits of each character; the builder says why. */
function bytes(text) {
    const bytes = new Uint8Array(Math.floor((text.length * 7) / 8));
    for (let i = 0, held = 0, bits = 0, at = 0; i < text.length; i += 1) {
        held = (held << 7) | (text.charCodeAt(i) & 127);
        bits += 7;
        if (bits >= 8) {
            bits -= 8;
            bytes[at] = held >> bits;
            held &= (1 << bits) - 1;
            at += 1;
        }
    }
    return bytes;
}
