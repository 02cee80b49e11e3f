// SHA-256 by the browser, which uses the processor's own instructions: here, or in a worker that does nothing else.

/** Makes digests of bytes in the engine's memory. */
export class Hasher {
    /** With a `port`, at its other end is a worker that was told to `serve`. */
    constructor(memory, port) {
        this.memory = memory;
        this.port = port;
        this.waiting = new Map();
        this.asked = 0;
        /** Buffers that came back: fresh memory for every piece takes longer than to copy into it. */
        this.spare = [];
        if (port) port.onmessage = ({ data }) => this.answered(data);
    }

    /** The digest of `length` bytes at `at`. They are copied at once. */
    async digest(at, length) {
        const bytes = new Uint8Array(this.memory.buffer, at, length);
        if (!this.port) return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
        const found = this.spare.findIndex((buffer) => buffer.byteLength >= length);
        const [buffer] = found < 0 ? [new ArrayBuffer(length)] : this.spare.splice(found, 1);
        new Uint8Array(buffer, 0, length).set(bytes);
        this.asked += 1;
        this.port.postMessage({ id: this.asked, buffer, length }, [buffer]);
        return new Promise((give, fail) => this.waiting.set(this.asked, { give, fail }));
    }

    answered({ id, buffer, digest, error }) {
        const { give, fail } = this.waiting.get(id);
        this.waiting.delete(id);
        this.spare.push(buffer);
        if (digest) give(digest);
        else fail(new Error(error));
        if (this.waiting.size === 0) this.spare = [];
    }
}

/** Makes the digests that are asked for at the other end of `port`. */
export function serve(port) {
    port.onmessage = async ({ data: { id, buffer, length } }) => {
        const answer = { id, buffer };
        try {
            answer.digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(buffer, 0, length)));
        } catch (error) {
            answer.error = error.message ?? String(error);
        }
        port.postMessage(answer, [buffer]);
    };
}
