// Restores points of a set, each as a line of standard input says: a line of JSON for each, with the SHA-256 of what came.
// A line with `named` asks for the files of a point instead.

import { createHash } from "node:crypto";
import { createInterface } from "node:readline";
import { readFile } from "node:fs/promises";
import { files, restore } from "highwater";

for await (const line of createInterface({ input: process.stdin })) {
    const { folder, point, keys, streamed, named } = JSON.parse(line);
    const options = { point, keys: await Promise.all(keys.map((file) => readFile(file))) };
    if (named) {
        console.log(JSON.stringify(await files(folder, options).catch(({ code, message }) => ({ code, message }))));
        continue;
    }
    const hash = createHash("sha256");
    const told = { state: "", progress: 0 };
    options.onProgress = ({ done }) => {
        told.progress = done;
    };
    const to = new WritableStream({
        write: (piece) => void hash.update(piece),
        close: () => void (told.state = "closed"),
        abort: () => void (told.state = "aborted"),
    });
    try {
        if (streamed) {
            const reader = (await restore(folder, options)).getReader();
            for (let piece = await reader.read(); !piece.done; piece = await reader.read()) hash.update(piece.value);
            told.state = "closed";
        } else {
            const { bytes } = await restore(folder, { ...options, to });
            if (bytes !== told.progress) throw new Error(`${bytes} bytes, but ${told.progress} told`);
        }
        console.log(JSON.stringify({ ...told, sum: hash.digest("hex") }));
    } catch (error) {
        console.log(JSON.stringify({ ...told, code: error.code, message: error.message }));
    }
}
