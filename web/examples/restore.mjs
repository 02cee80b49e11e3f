// Restores a point to a file: node restore.mjs FOLDER POINT FILE

import { open, rename, rm } from "node:fs/promises";
import { Writable } from "node:stream";
import { restore } from "highwater";

const [folder, point, file] = process.argv.slice(2);
const part = `${file}.part`;
const handle = await open(part, "w");
try {
    const { bytes } = await restore(folder, { point, to: Writable.toWeb(handle.createWriteStream()) });
    await rename(part, file);
    console.log(`${bytes} bytes, every one checked`);
} catch (error) {
    await rm(part);
    console.error(`not restored: ${error.message}`);
    process.exitCode = 1;
}
