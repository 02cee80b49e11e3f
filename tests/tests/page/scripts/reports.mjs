// Checks and lists sets, each as a line of standard input says: a line of JSON for each, as a test compares them.

import { createInterface } from "node:readline";
import { readFile } from "node:fs/promises";
import { list, verify } from "highwater";

for await (const line of createInterface({ input: process.stdin })) {
    const { folder, depth, key, workers, point, listing } = JSON.parse(line);
    if (listing) {
        console.log(JSON.stringify(await list(folder)));
    } else {
        const keys = key ? [await readFile(key)] : [];
        const report = await verify(folder, { depth, keys, workers, point }).catch((error) => error);
        if (report instanceof Error) {
            console.log(JSON.stringify({ code: report.code ?? report.name, message: report.message }));
            continue;
        }
        const files = {};
        for (const kind of ["json", "junit", "sarif", "text"]) files[kind] = await report.file(kind).text();
        console.log(JSON.stringify({ files, object: `${JSON.stringify(report, null, 2)}\n`, verdict: report.verdict }));
    }
}
