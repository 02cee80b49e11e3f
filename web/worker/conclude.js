// The end of a run: one report out of all shards of all roots, and the files of it. A report may name a hundred thousand
// points, so this is no work for the page's own thread.

/** Points of a root that the page lists. */
const LISTED = 400;

/** The files of a report: the name the command line has for each, its type, and how it is written. */
const FILES = [
    ["json", "application/json", (report) => report.json()],
    ["junit", "application/xml", (report) => report.junit()],
    ["sarif", "application/sarif+json", (report) => report.sarif()],
    ["text", "text/plain", (report) => report.text(false)],
];

/** `roots` has the shards' reports of each root, as the bytes of JSON. Gives what the page shows, and each file as a blob. */
export function conclude(engine, roots, depth) {
    const { Report } = engine;
    const together = (reports) => reports.reduce((all, report) => all.merge(report), Report.empty(depth, false));
    const parse = (bytes) => Report.parse(new TextDecoder().decode(bytes));
    const whole = together(roots.map((parts) => together(parts.map(parse)).whole()));
    const files = FILES.map(([kind, type, render]) => [kind, new Blob([render(whole)], { type })]);
    const outcome = { ...JSON.parse(whole.digest(LISTED)), sentence: whole.sentence(), files };
    whole.free();
    return outcome;
}
