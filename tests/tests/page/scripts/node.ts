// What the types allow in a project for node alone, whose library knows no browser: the compiler says whether it holds.

import { files, restore, verify } from "highwater";
import type { Source, Target } from "highwater";

// As `node:stream` declares it.
interface Writer<W> {
    readonly closed: Promise<undefined>;
    readonly desiredSize: number | null;
    readonly ready: Promise<undefined>;
    abort(reason?: any): Promise<void>;
    close(): Promise<void>;
    releaseLock(): void;
    write(chunk?: W): Promise<void>;
}
interface WebStream<W = any> {
    readonly locked: boolean;
    abort(reason?: any): Promise<void>;
    close(): Promise<void>;
    getWriter(): Writer<W>;
}
declare const Writable: { toWeb(stream: object): WebStream };
declare const output: object;

export async function all(path: Source): Promise<number> {
    const report = await verify(path, { depth: "size", listed: 9 });
    const { files: some } = await files(path, { point: "2026" });
    const to: Target = Writable.toWeb(output);
    const { bytes, point } = await restore(path, { point: report.sets[0].name, to });
    const again = await restore("/srv/backup", { point, to: Writable.toWeb(output) });
    // @ts-expect-error A number is no source.
    await verify(7);
    // @ts-expect-error A text is written to nothing.
    await restore(path, { point, to: "file" });
    return bytes + again.bytes + some.length;
}
