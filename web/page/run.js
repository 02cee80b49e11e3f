// A run: takes files, has the sets among them checked or restored, and shows what came of it.

import { Crew } from "../api/crew.js";
import { filesOf } from "../api/files.js";
import { give } from "../api/restore.js";
import { Backups, find } from "../api/roots.js";
import { check } from "../api/verify.js";
import { at } from "./element.js";
import { unpack } from "./engine.js";
import { lined } from "./files.js";
import { Keys } from "./keys.js";
import { kinds, words } from "./language.js";
import { Picture } from "./picture.js";
import { learnOf, showPoints } from "./points.js";
import { Progress } from "./progress.js";
import { forget, isTyped, say, show } from "./results.js";
import { place } from "./save.js";
import { tab } from "./tab.js";
import { bytes, tenths } from "./words.js";

/** What the kinds of backup are called, and by what their folders are known: facts of the engine's formats. */
const { several, indices } = kinds();

/** Points of a root that the page lists. */
const LISTED = 400;

const picture = new Picture(at("bands"));
const progress = new Progress(at("bar"), at("pace"));
const hiring = unpack().then((engine) => new Crew(engine, workers()), () => null);
let crew = null;
hiring.then((ready) => {
    crew = ready;
});
const keys = new Keys(hiring, () => again(), () => crew?.stop());
/** What was taken last, and the one point of it that was looked at, if it was one. */
let roots = [];
let last = {};
let paused = false;
/** Ends what is being looked for or checked. */
let running = new AbortController();
/** Counts drops and runs: what belongs to an earlier one is not shown. */
let turn = 0;

/** How many workers to use: one a core. An address that ends in `#workers=2` says otherwise. */
function workers() {
    const asked = Number(new URLSearchParams(location.hash.slice(1)).get("workers"));
    return Number.isInteger(asked) && asked > 0 ? asked : undefined;
}

/** What was going on ends, and another thing begins: gives its number, and the signal that ends it. */
function turnTo() {
    turn += 1;
    running.abort();
    running = new AbortController();
    clear();
    return [turn, running.signal];
}

/** Takes files or a promise of entries: finds the sets among them and checks all. */
export async function take(source) {
    const [mine, signal] = turnTo();
    // Whoever still does something for what was there before, as a restore, ends; others are used again.
    if (crew !== null) crew.dismiss(Object.keys(crew.owners), new DOMException("something else was taken", "AbortError"));
    [roots, at("again").hidden, at("all").hidden] = [[], true, true];
    at("intake").textContent = words.reading;
    try {
        if ((await hiring) === null) {
            at("intake").textContent = "";
            say("inconclusive", { title: words.failed, sentence: words.unsupported });
            return;
        }
        const all = await source;
        const { roots: found, files, others } = await find(crew, all, { signal });
        if (mine !== turn) return;
        // What nothing came of may be told from what would be one.
        at("drop").classList.toggle("small", found.length > 0);
        at("intake").textContent = found.length > 0 ? words.intake(files, found.length) + (others > 0 ? words.others(others) : "") : "";
        if (all.partial && found.some(({ colons }) => colons)) {
            say("inconclusive", { title: words.failed, sentence: words.partial, next: words.partialNext });
        } else if (found.length === 0) {
            const what = files === 0 ? words.noFiles : words.noneOf(files, several);
            say("inconclusive", { title: words.noBackup, sentence: words.nothingChecked(what), next: words.dropIndex(indices) }, "none");
        } else {
            [roots, last] = [found, {}];
            await run(roots);
        }
    } catch (error) {
        if (mine === turn) fail(error);
    }
}

/** Checks once more what was taken last, as thoroughly as is asked for now. */
export function again() {
    if (roots.length > 0) run(last.roots ?? roots, last.point);
}

/** Checks all points of all of it. */
export function all() {
    if (roots.length > 0) run(roots);
}

/** Checks some sets, or one point of one, and shows the outcome. */
async function run(some, point) {
    const [mine, signal] = turnTo();
    last = { roots: some, point };
    const names = some.map((root) => words.recognised(root.label, root.format, root.names.length));
    at("recognised").textContent = names.join(", ");
    const title = point === undefined ? words.checking : words.checkingPoint(point);
    at("run-title").textContent = title;
    at("run").hidden = false;
    at("picture").hidden = false;
    at("again").hidden = false;
    at("all").hidden = point === undefined;
    // What was pressed may be gone; a field that is typed in stays.
    if (!isTyped()) at("run-title").focus({ preventScroll: true });
    tab("checking", title);
    picture.begin(some, at("depth").value);
    progress.begin();
    setPaused(false);
    crew.resume();
    const began = performance.now();
    try {
        const onProgress = (now) => {
            if (mine === turn) progress.hear(now);
        };
        const onNews = (news) => {
            picture.hear(news.root, news.worker, news);
            picture.progress(progress.show());
        };
        const options = { depth: at("depth").value, point, keys: keys.used, listed: LISTED, signal, onProgress, onNews };
        const report = await check(crew, new Backups(some), options);
        if (mine !== turn) return;
        const seconds = tenths((performance.now() - began) / 1000);
        const { checked, bytes: read, marked } = report.coverage;
        at("run").hidden = true;
        picture.judge(some.map(({ label }) => ({ label, newest: report.sets.filter((set) => set.root === label).reverse() })));
        picture.draw(true);
        const label = some.length === 1 ? some[0].label : "highwater";
        show(report, { label, hasTrees: some.some((root) => root.files) }, words.pace(checked, bytes(read), marked ? words.marked(bytes(marked)) : "", seconds));
        keys.asked(report);
        if (point === undefined) showPoints(some, report, { check: (root, name) => run([root], name), restore, files });
        else learnOf(report);
    } catch (error) {
        if (mine === turn) fail(error);
    }
}

/** Names files of a point. */
function files(root, asked) {
    return filesOf(crew, new Backups([root]), { ...asked, keys: keys.used });
}

/** Restores a point, an archive or a file of it, to a file of the person's choice. */
async function restore(root, { point, file }, tell) {
    let [to, pieces] = [null, null];
    try {
        to = await place(lined(file));
        let written = 0;
        tell(words.restoring);
        let end = 0;
        const onProgress = ({ expected }) => {
            end = expected;
        };
        pieces = (await give(crew, new Backups([root]), { point, keys: keys.used, onProgress })).getReader();
        for (let piece = await pieces.read(); !piece.done; piece = await pieces.read()) {
            written += piece.value.length;
            await to.write(piece.value, end);
            tell(words.written(bytes(written), bytes(end)));
        }
        await to.close();
        tell(words.restored(point, bytes(written)));
    } catch (error) {
        await pieces?.cancel().catch(() => {});
        await to?.abort().catch(() => {});
        const closed = error.name === "AbortError" && to === null;
        tell(closed ? "" : words.notRestored(error.message), !closed);
    }
}

function clear() {
    forget();
    for (const id of ["run", "picture", "points"]) at(id).hidden = true;
}

/** The end of a run that came to no report. What was looked at until then stays in the picture. */
function fail(error) {
    const { done, expected, settled, damaged } = progress.now;
    at("run").hidden = true;
    if (error.name !== "AbortError") {
        say("inconclusive", { title: words.failed, sentence: words.failedWhy(error.message), next: words.failedNext });
    } else if (settled === 0) {
        say("inconclusive", { title: words.cancelled, sentence: words.cancelledBefore, next: words.cancelledNext });
    } else {
        const sentence = words.cancelledAt(bytes(done), bytes(expected), settled, damaged);
        // What is damaged is so, however little was looked at.
        say(damaged > 0 ? "damaged" : "inconclusive", { title: words.cancelled, sentence, next: words.cancelledNext });
        picture.draw(true);
    }
}

/** Ends what is going on. */
export function cancel() {
    running.abort();
}

/** Lets a check rest, or go on. */
export function pause() {
    setPaused(!paused);
    if (paused) crew.pause();
    else crew.resume();
    progress.rest(paused);
}

function setPaused(now) {
    paused = now;
    at("pause").textContent = paused ? words.resume : words.pause;
}
