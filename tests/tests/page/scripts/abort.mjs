// Stops a check while it runs, and before; what was checked is in the progress. It ends only when no worker is left.

import { restore, verify } from "highwater";

const [folder, point] = process.argv.slice(2);
const controller = new AbortController();
const told = [];
const onProgress = (progress) => {
    told.push(progress);
    if (progress.done > 0) controller.abort();
};
const failed = await verify(folder, { workers: 2, signal: controller.signal, onProgress }).catch((error) => error);
const { done, expected } = told.at(-1);
console.log(`during ${failed.name} ${done > 0} ${done < expected}`);
const before = await verify(folder, { signal: controller.signal }).catch((error) => error);
console.log(`before ${before.name}`);
const reason = new Error("a reason of one's own");
const own = await verify(folder, { signal: AbortSignal.abort(reason) }).catch((error) => error);
console.log(`reason ${own === reason}`);
// Nobody reads on; and a stream whose reader goes away.
const stopped = new AbortController();
const reader = (await restore(folder, { point, signal: stopped.signal })).getReader();
await reader.read();
stopped.abort();
const rest = async () => {
    while (!(await reader.read()).done);
};
console.log(`restore ${(await rest().catch((error) => error)).name}`);
const left = (await restore(folder, { point })).getReader();
await left.read();
await left.cancel();
console.log("left");
