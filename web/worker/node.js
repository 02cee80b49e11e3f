// What a worker of node has in place of a page's messages and files. It stands before the worker's script, in a module.

if (globalThis.process?.versions?.node !== undefined) {
    const { parentPort } = await import("node:worker_threads");
    const [fs, { constants }, { notFile, sentence }] = await Promise.all([import("node:fs/promises"), import("node:fs"), import("./system.js")]);
    /** What fails is said in the words of the command. */
    const told = (error) => {
        throw new Error(sentence(error));
    };
    globalThis.sentence = sentence;
    globalThis.postMessage = (message, transfer) => parentPort.postMessage(message, transfer);
    globalThis.openPath = async (path) => {
        const what = await fs.stat(path);
        const { size, mtimeMs, ino } = what;
        if (notFile(what) !== undefined) throw new Error(notFile(what));
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
                    // Whatever takes its place meanwhile is not waited for.
                    handle ??= fs.open(path, constants.O_RDONLY | constants.O_NONBLOCK);
                    const bytes = new Uint8Array(Math.min(length, size - at));
                    const { bytesRead } = await (await handle).read(bytes, 0, bytes.length, at);
                    return bytes.subarray(0, bytesRead);
                } catch (error) {
                    return told(error);
                } finally {
                    reading -= 1;
                    if (closing) close();
                }
            },
            async confirm() {
                const now = await fs.stat(path).catch(told);
                if (now.size !== size || now.mtimeMs !== mtimeMs || now.ino !== ino) throw new Error("it was changed while it was read");
            },
        };
    };
    parentPort.on("message", (data) => globalThis.onmessage({ data }));
}
