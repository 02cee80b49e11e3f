// What a worker of node has in place of a page's messages and files. It stands before the worker's script, in a module.

if (globalThis.process?.versions?.node !== undefined) {
    const { parentPort } = await import("node:worker_threads");
    const fs = await import("node:fs/promises");
    globalThis.postMessage = (message, transfer) => parentPort.postMessage(message, transfer);
    globalThis.openPath = async (path) => {
        const { size, mtimeMs, ino } = await fs.stat(path);
        let handle = null;
        /** Reads under way: a file is closed between them alone. */
        let reading = 0;
        let closing = false;
        const close = () => {
            closing = reading > 0;
            if (closing) return;
            handle?.then((open) => open.close()).catch(() => {});
            handle = null;
        };
        return {
            size,
            close,
            async read(at, length) {
                reading += 1;
                try {
                    handle ??= fs.open(path);
                    const bytes = new Uint8Array(Math.min(length, size - at));
                    const { bytesRead } = await (await handle).read(bytes, 0, bytes.length, at);
                    return bytes.subarray(0, bytesRead);
                } finally {
                    reading -= 1;
                    if (closing) close();
                }
            },
            async confirm() {
                const now = await fs.stat(path);
                if (now.size !== size || now.mtimeMs !== mtimeMs || now.ino !== ino) throw new Error("it was changed while it was read");
            },
        };
    };
    parentPort.on("message", (data) => globalThis.onmessage({ data }));
}
