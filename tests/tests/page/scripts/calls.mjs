// What a call does with options that make no sense, with listeners that fail, with a signal while it lists folders, and with entries
// that cannot be opened: a line for each. It ends only when no worker is left, though a restore is never read.

import { readFile, readdir } from "node:fs/promises";
import { backups, files, list, openKey, restore, verify } from "highwater";

const [set, store] = process.argv.slice(2);
const point = "2026";

async function said(name, work) {
    try {
        const report = await work();
        console.log(`${name} came ${report?.verdict ?? ""}`.trim());
    } catch (error) {
        console.log(`${name} ${error?.code ?? error?.name ?? error} ${error?.message ?? ""}`.trim());
    }
}

// What is wrong is named.
const wrong = { depth: null, point: 7, root: 7, keys: {}, strict: "no", workers: NaN, listed: Infinity, signal: {}, onProgress: 7, onNews: {} };
for (const [name, value] of Object.entries(wrong)) await said(name, () => verify(set, { [name]: value }));
for (const value of [NaN, -1, 0.5]) await said("listed", () => verify(set, { listed: value }));
await said("options", () => verify(set, null));
await said("onFound", () => backups(set, { onFound: 7 }));
await said("most", () => files(set, { point, most: -1 }));
await said("objects", () => files(set, { point, objects: "all" }));
await said("root", () => list(set, { root: null }));
await said("to", () => restore(set, { point, to: {} }));
await said("passphrase", () => openKey(new Uint8Array(9), 5));
await said("keyed", () => verify(set, { keys: [{ file: new Uint8Array(9), passphrase: 5 }] }));

// Who fails to hear fails the call, at once or later.
const fail = () => {
    throw new Error("deaf");
};
for (const name of ["onProgress", "onNews"]) {
    await said(`throwing ${name}`, () => verify(set, { [name]: fail }));
    await said(`rejecting ${name}`, () => verify(set, { [name]: async () => fail() }));
}
await said("throwing onFound", () => backups(set, { onFound: fail }));
await said("rejecting onFound", () => backups(set, { onFound: async () => fail() }));
for (const listen of [fail, async () => fail()]) {
    await said("restore", async () => {
        const reader = (await restore(set, { point, onProgress: listen })).getReader();
        while (!(await reader.read()).done);
    });
}

// A folder that is never through, and one that never answers.
const reason = new Error("enough");
for (const name of ["endless", "silent"]) {
    const stop = new AbortController();
    let listed = 0;
    const folder = {
        kind: "directory",
        name,
        async *values() {
            listed += 1;
            if (listed > 3) stop.abort(reason);
            if (name === "silent" && listed > 3) await new Promise(() => {});
            yield { ...folder, name: `${listed}` };
        },
    };
    await said(name, () => verify(folder, { signal: stop.signal }));
}
// One that was aborted before looks at nothing.
const unseen = { kind: "directory", name: "unseen", values: () => console.log("it was looked at") };
for (const call of [verify, list, backups]) await said("before", () => call(unseen, { signal: AbortSignal.abort(reason) }));
await said("before", () => restore(unseen, { point, signal: AbortSignal.abort(reason) }));

// Entries that throw, that reject with anything, and that give no file.
const names = await readdir(set);
const opening = { throws: fail, rejects: () => Promise.reject(undefined), gives: () => 7 };
for (const [name, bad] of Object.entries(opening)) {
    const entry = (file) => ({ path: `set/${file}`, open: file.endsWith(".dat") ? async () => new Blob([await readFile(`${set}/${file}`)]) : bad });
    const report = await verify(names.map(entry));
    console.log(`${name} ${report.verdict} ${new Set(report.findings.map(({ code }) => code)).size} ${report.findings[0].code} ${report.findings[0].message}`);
}

// A folder's handle in which another cannot be listed, and one that cannot itself.
const handle = (file) => ({ kind: "file", name: file, getFile: async () => new Blob([await readFile(`${set}/${file}`)]) });
const shut = { kind: "directory", name: "shut", values: fail };
const open = {
    kind: "directory",
    name: "open",
    async *values() {
        yield* names.map(handle);
        yield shut;
    },
};
await said("within", () => verify(open));
await said("itself", () => verify(shut));

// The point that was restored, not what was asked for; of a stream that nobody reads nothing is left.
for (const asked of ["2026", "latest"]) {
    const restored = await restore(asked === "latest" ? store : set, { point: asked === "latest" ? `vm/100/latest/drive-scsi0.img` : asked, to: new WritableStream() });
    console.log(`restored ${restored.point} ${restored.bytes > 0}`);
}
globalThis.unread = await restore(set, { point });
console.log("over");
