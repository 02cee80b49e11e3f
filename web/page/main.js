// The page: takes what is dropped, has it checked, and shows what came of it.

import { Crew } from "../api/crew.js";
import { give } from "../api/restore.js";
import { Backups, find } from "../api/roots.js";
import { check } from "../api/verify.js";
import { at } from "./element.js";
import { unpack } from "./engine.js";
import { fromDrop } from "./drop.js";
import { Picture } from "./picture.js";
import { Keys } from "./keys.js";
import { Progress } from "./progress.js";
import { forget, say, show } from "./results.js";
import { showPoints } from "./points.js";
import { place } from "./save.js";
import { bytes, count } from "./words.js";

const UNSUPPORTED = "This browser cannot run the check: it lacks WebAssembly with SIMD or another part of it. Chrome 91, Firefox 113, Safari 16.4 and later have all.";

const PARTIAL = "From a page that was opened as a file, this browser hides names with a colon in what is dropped, and this set has such names. Nothing was checked.";

/** What the kinds of backup are called, and by what their folders are known: facts of the engine's formats. */
const { several, indices } = at("kinds").dataset;

/** Points of a root that the page lists. */
const LISTED = 400;

const picture = new Picture(at("bands"));
const progress = new Progress(at("bar"), at("pace"));
const hiring = unpack().then((engine) => new Crew(engine, workers()), () => null);
let crew = null;
hiring.then((ready) => {
    crew = ready;
});
const keys = new Keys(hiring, () => {
    if (roots.length > 0) run(roots, { depth: at("depth").value });
});
let roots = [];
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
async function take(source) {
    crew?.stop();
    const [mine, signal] = turnTo();
    at("intake").textContent = "reading the list of files";
    try {
        if ((await hiring) === null) {
            at("intake").textContent = "";
            say("inconclusive", UNSUPPORTED);
            return;
        }
        const all = await source;
        const { roots: found, files, others } = await find(crew, all, { signal });
        if (mine !== turn) return;
        roots = found;
        at("drop").classList.add("small");
        const rest = others > 0 ? `; ${count(others, "other file")} belong to no backup set` : "";
        at("intake").textContent = `${count(files, "file")} in ${count(roots.length, "backup set")}${rest}`;
        if (all.partial && roots.some(({ colons }) => colons)) {
            roots = [];
            say("inconclusive", PARTIAL, "Choose it with the button “Choose a folder”, which shows the page everything, or drop it on a page that `highwater web` serves.");
            return;
        }
        if (roots.length === 0) {
            const what = files === 0 ? "There are no files in it." : `None of ${count(files, "file")} belongs to a backup set of a kind that this page knows (${several}).`;
            say("inconclusive", `${what} Nothing was checked.`, `Drop the folder that holds the index (${indices}), not a file out of it.`);
            return;
        }
        await run(roots, { depth: at("depth").value });
    } catch (error) {
        if (mine === turn) fail(error);
    }
}

/** Checks some sets and shows the outcome. */
async function run(some, { depth, point }) {
    const [mine, signal] = turnTo();
    at("recognised").textContent = some.map((root) => `${root.label} (${root.format}, ${count(root.names.length, "entry", "entries")})`).join(", ");
    at("run-title").textContent = point === undefined ? "Checking" : `Checking ${point}`;
    at("run").hidden = false;
    at("picture").hidden = false;
    picture.begin(some);
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
        const options = { depth, point, keys: keys.used, listed: LISTED, signal, onProgress, onNews };
        const report = await check(crew, new Backups(some), options);
        if (mine !== turn) return;
        const seconds = (performance.now() - began) / 1000;
        const { coverage } = report;
        const marked = coverage.marked ? `, ${bytes(coverage.marked)} of them by marks` : "";
        const pace = `${count(coverage.checked, "claim")} checked, ${bytes(coverage.bytes)} read${marked}, in ${seconds.toFixed(1)} s`;
        at("run").hidden = true;
        picture.judge(some.map(({ label }) => ({ label, newest: report.sets.filter((set) => set.root === label).reverse() })));
        picture.draw(true);
        show(report, some.length === 1 ? some[0].label : "highwater", pace);
        if (point === undefined) {
            showPoints(some, report, {
                check: (root, name) => run([root], { depth: at("depth").value, point: name }),
                restore: (root, what, tell) => restore(root, what, tell),
            });
        }
    } catch (error) {
        if (mine === turn) fail(error);
    }
}

/** Restores a point, or an archive of it, to a file of the person's choice. */
async function restore(root, { point, file }, tell) {
    let [to, pieces] = [null, null];
    try {
        to = await place(file);
        let written = 0;
        tell("restoring");
        let end = 0;
        const onProgress = ({ expected }) => {
            end = expected;
        };
        pieces = (await give(crew, new Backups([root]), { point, keys: keys.used, onProgress })).getReader();
        for (let piece = await pieces.read(); !piece.done; piece = await pieces.read()) {
            written += piece.value.length;
            await to.write(piece.value, end);
            tell(`${bytes(written)} of ${bytes(end)} written`);
        }
        await to.close();
        tell(`Restored ${point}: ${bytes(written)}, every chunk checked.`);
    } catch (error) {
        await pieces?.cancel().catch(() => {});
        await to?.abort().catch(() => {});
        const closed = error.name === "AbortError" && to === null;
        tell(closed ? "" : `Not restored, and nothing was kept: ${error.message}`);
    }
}

function clear() {
    forget();
    for (const id of ["run", "picture", "points"]) at(id).hidden = true;
}

/** The end of a run that came to no report. */
function fail(error) {
    at("run").hidden = true;
    if (error.name === "AbortError") {
        say("inconclusive", "The check was cancelled. Nothing is known of this set.", "Drop it again to check it from the start.");
    } else {
        say("inconclusive", `The check could not be carried out: ${error.message}.`, "That is a fault of this page, not of the set.");
    }
}

function setPaused(now) {
    paused = now;
    at("pause").textContent = paused ? "Resume" : "Pause";
}

at("pause").addEventListener("click", () => {
    setPaused(!paused);
    if (paused) {
        crew.pause();
        at("pace").textContent += " · paused";
    } else {
        progress.rest();
        crew.resume();
    }
});
at("cancel").addEventListener("click", () => running.abort());
for (const id of ["folder", "files"]) {
    at(id).addEventListener("change", () => {
        const list = [...at(id).files];
        at(id).value = "";
        take(list);
    });
}
const told = (found) => {
    at("intake").textContent = `${count(found, "file")} so far`;
};
const over = (yes) => (event) => {
    event.preventDefault();
    at("drop").classList.toggle("over", yes);
};
addEventListener("dragover", over(true));
addEventListener("dragleave", over(false));
addEventListener("drop", (event) => {
    over(false)(event);
    take(fromDrop(event.dataTransfer, told));
});
