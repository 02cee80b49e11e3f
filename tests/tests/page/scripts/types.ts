// What the types allow and what they refuse: the compiler says whether both hold.

import { HighwaterError, backups, list, openKey, restore, verify } from "highwater";
import type { Depth, Report, Source } from "highwater";

export async function all(handle: FileSystemDirectoryHandle, input: HTMLInputElement, to: WritableStream<Uint8Array>) {
    const depth: Depth = "deep";
    const controller = new AbortController();
    const report: Report = await verify(handle, {
        depth,
        point: "2026-03-01-00-00-00",
        keys: [await openKey(new Uint8Array(), "passphrase"), new Blob(), { file: new Blob(), passphrase: "" }],
        workers: 2,
        signal: controller.signal,
        onProgress: ({ done, expected, complete }) => console.log(done / expected, complete ? "known" : "so far"),
    });
    const hurt: string[] = report.sets.filter(({ verdict }) => verdict === "damaged").map(({ name }) => name);
    const sources: Source[] = ["/srv/backup", input.files!, [...input.files!], await backups(handle), [{ path: "a/b", open: null }]];
    for (const source of sources) for (const { points } of await list(source)) hurt.push(...points.map(({ name }) => name));
    const stream: ReadableStream<Uint8Array> = await restore(handle, { point: "2026" });
    const { bytes } = await restore(handle, { point: "2026", to });
    const file: Blob = report.file("junit");
    const code = (error: unknown) => (error instanceof HighwaterError && error.code === "passphrase" ? error.message : "");
    return { hurt, stream, more: bytes + 1, file, code };
}

export async function none(handle: FileSystemDirectoryHandle, report: Report) {
    // @ts-expect-error There is no such depth.
    await verify(handle, { depth: "whole" });
    // @ts-expect-error A number is no source.
    await verify(7);
    // @ts-expect-error A restore needs a point.
    await restore(handle, {});
    // @ts-expect-error A report is not changed.
    report.verdict = "sound";
    // @ts-expect-error There is no such file of it.
    report.file("pdf");
}
