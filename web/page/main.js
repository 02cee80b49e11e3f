// The page: takes what is dropped, has it checked, and shows what came of it.

import { at } from "./element.js";
import { unpack } from "./engine.js";
import { fromDrop, fromInput } from "./drop.js";
import { findRoots } from "./roots.js";
import { Picture } from "./picture.js";
import { Keys } from "./keys.js";
import { Pool, Stopped, workers } from "./pool.js";
import { Progress } from "./progress.js";
import { forget, say, show } from "./results.js";
import { showPoints } from "./points.js";
import { place } from "./save.js";
import { bytes, count } from "./words.js";

const UNSUPPORTED = "This browser cannot run the check: it lacks WebAssembly with SIMD or another part of it. Chrome 91, Firefox 113, Safari 16.4 and later have all.";

const PARTIAL = "From a page that was opened as a file, this browser hides names with a colon in what is dropped, and this set has such names. Nothing was checked.";

/** What the kinds of backup are called, and by what their folders are known: facts of the engine's formats. */
const { several, indices } = at("kinds").dataset;

const picture = new Picture(at("bands"));
const progress = new Progress(at("bar"), at("pace"));
const pooling = unpack().then((engine) => new Pool(engine, workers()), () => null);
let pool = null;
pooling.then((ready) => {
    pool = ready;
});
const keys = new Keys(pooling, () => {
    if (roots.length > 0) check(roots, { depth: at("depth").value, point: null });
});
let roots = [];
let paused = false;
/** Counts drops and runs: what belongs to an earlier one is not shown. */
let turn = 0;

/** Takes a promise of entries: finds the sets among them and checks all. */
async function take(entries) {
    turn += 1;
    const mine = turn;
    pool?.stop();
    clear();
    at("intake").textContent = "reading the list of files";
    try {
        if ((await pooling) === null) {
            at("intake").textContent = "";
            say("inconclusive", UNSUPPORTED);
            return;
        }
        const all = await entries;
        const files = all.filter(({ open }) => open !== null).length;
        const { roots: found, others } = await findRoots(pool, all);
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
        await check(roots, { depth: at("depth").value, point: null });
    } catch (error) {
        if (mine === turn) fail(error);
    }
}

/** Checks some sets and shows the outcome. */
async function check(some, { depth, point }) {
    turn += 1;
    const mine = turn;
    clear();
    at("recognised").textContent = some.map((root) => `${root.label} (${root.format}, ${count(root.names.length, "entry", "entries")})`).join(", ");
    at("run-title").textContent = point === null ? "Checking" : `Checking ${point}`;
    at("run").hidden = false;
    at("picture").hidden = false;
    picture.begin(some);
    progress.begin();
    setPaused(false);
    pool.resume();
    const began = performance.now();
    try {
        const reports = [];
        for (const [number, root] of some.entries()) {
            const hear = (worker, news) => {
                if (mine !== turn) return;
                progress.hear(`${number}/${worker}`, news);
                picture.hear(number, worker, news);
                picture.progress(progress.show());
            };
            reports.push(await pool.check(root, { depth, point, strict: false, key: keys.secret }, hear));
            if (mine !== turn) return;
        }
        const outcome = await pool.conclude(reports, depth);
        if (mine !== turn) return;
        const seconds = (performance.now() - began) / 1000;
        const { coverage } = outcome;
        const marked = coverage.marked ? `, ${bytes(coverage.marked)} of them by marks` : "";
        const pace = `${count(coverage.checked, "claim")} checked, ${bytes(coverage.bytes)} read${marked}, in ${seconds.toFixed(1)} s`;
        at("run").hidden = true;
        picture.judge(outcome.roots);
        picture.draw(true);
        show(outcome, some.length === 1 ? some[0].label : "highwater", pace);
        if (point === null) {
            showPoints(some, outcome, {
                check: (root, name) => check([root], { depth: at("depth").value, point: name }),
                restore: (root, what, tell) => restore(root, what, tell),
            });
        }
    } catch (error) {
        if (mine === turn) fail(error);
    }
}

/** Restores a point, or an archive of it, to a file of the person's choice. */
async function restore(root, { point, file }, tell) {
    let to = null;
    try {
        to = await place(file);
        let written = 0;
        tell("restoring");
        await pool.restore(root, { point, key: keys.secret }, async (piece, end) => {
            written += piece.length;
            await to.write(piece, end);
            tell(`${bytes(written)} of ${bytes(end)} written`);
        });
        await to.close();
        tell(`Restored ${point}: ${bytes(written)}, every chunk checked.`);
    } catch (error) {
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
    if (error instanceof Stopped) {
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
        pool.pause();
        at("pace").textContent += " · paused";
    } else {
        progress.rest();
        pool.resume();
    }
});
at("cancel").addEventListener("click", () => pool.stop());
for (const id of ["folder", "files"]) {
    at(id).addEventListener("change", () => {
        const list = [...at(id).files];
        at(id).value = "";
        take(fromInput(list));
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
