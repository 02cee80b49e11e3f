// The points in time of each set, on a line: to look at one alone, or to restore it.

import { at, make } from "./element.js";
import { Files } from "./files.js";
import { words } from "./language.js";
import { isUnread, ofPoint } from "./verdict.js";
import { bytes, when } from "./words.js";

/** What a point without archives is restored to. */
const FILE = "Data.fs";

/** Archives that are trees of files are called so. */
const TREE = /\.pxar$/;

/** A sign for each verdict: colours alone tell nothing to some. */
const SIGNS = { sound: "✓", damaged: "✗", inconclusive: "?" };

/** Those that are shown, a set's each. */
let shown = [];

/**
 * Shows the points of each set. `check` gets the set and the point's name; `restore`, of what to restore, `{ point, file }`;
 * `files`, of which files of a point to tell.
 */
export function showPoints(roots, report, deeds) {
    shown = roots.flatMap((root) => {
        const newest = report.sets.filter((set) => set.root === root.label).reverse();
        // Some may be looked at alone later, at another depth.
        for (const point of newest) point.depth = report.depth;
        return newest.length > 0 ? [new Points(root, report, newest, deeds)] : [];
    });
    at("timelines").replaceChildren(...shown.map(({ element }) => element));
    at("points").hidden = shown.length === 0;
    for (const points of shown) points.turn();
}

/** Shows them again, after one of them was looked at alone. */
export function learnOf(report) {
    for (const points of shown) points.learn(report);
    at("points").hidden = shown.length === 0;
}

/** The points of a set, of which one is chosen: the newest sound one at first. */
class Points {
    constructor(root, report, newest, { check, restore, files }) {
        this.root = root;
        this.newest = newest;
        const hasTree = root.files || newest.some(({ archives = [] }) => archives.some((name) => TREE.test(name)));
        this.files = hasTree ? new Files(root, report.findings, (asked) => files(root, asked), () => this.ready()) : null;
        this.menu = make("select", { "aria-label": words.pointOf(root.label), "data-testid": "point", change: () => this.chosen() });
        this.menu.append(...newest.map((point) => make("option", { value: point.name }, told(point))));
        // Where a point holds several archives, one of them is restored.
        this.archives = make("select", { "aria-label": words.archiveOf(root.label), "data-testid": "archive", change: () => this.turnTo() });
        this.status = make("p", { role: "status", class: "dim", "data-testid": "restore-status" });
        this.reason = make("p", { class: "dim", "data-testid": "reason" });
        const say = (said, isWrong = false) => {
            this.status.textContent = said;
            this.status.className = isWrong ? "wrong" : "dim";
        };
        this.restore = make("button", { type: "button", "data-testid": "restore", click: () => restore(root, this.what(), say) });
        const look = make("button", { type: "button", class: "quiet", "data-testid": "check-point", click: () => check(root, this.menu.value) }, words.checkPoint);
        this.line = make("div", { class: "line", "aria-hidden": "true" }, ...[...newest].reverse().map((point) => this.mark(point)));
        // What is used as it lies is not restored.
        const restoring = root.restores || root.files ? [this.restore] : [];
        // What there is to choose besides the point has a line of its own.
        const field = hasTree ? [this.files.field, this.files.names] : [];
        const within = hasTree || newest.some(({ archives = [] }) => archives.length > 0) ? [this.archives, ...field, ...restoring.splice(0)] : [];
        this.element = make(
            "div",
            {},
            make("h3", {}, words.listed(root.label, report.points(root.label), newest.length)),
            this.line,
            make("div", { class: "point" }, this.menu, ...restoring, look),
            ...(within.length > 0 ? [make("div", { class: "point" }, ...within)] : []),
            this.reason,
            ...(hasTree ? [this.files.hurt] : []),
            this.status,
        );
        const sound = newest.findIndex(({ verdict }) => verdict === "sound");
        this.menu.selectedIndex = Math.max(0, sound);
        this.chosen();
    }

    /** A point on the line. The menu says the same to who does not see it. */
    mark({ name, verdict, depth }) {
        const choose = () => {
            this.menu.value = name;
            this.chosen();
        };
        const title = `${when(name)}: ${ofPoint(verdict, depth)}`;
        return make("span", { class: `mark ${verdict}`, "data-point": name, title, click: choose }, SIGNS[verdict]);
    }

    /** What can be done with the point that is chosen. */
    chosen() {
        const point = this.newest.find(({ name }) => name === this.menu.value);
        const { archives = [] } = point;
        this.archives.replaceChildren(...archives.map((name) => make("option", { value: name }, name)));
        this.archives.hidden = archives.length === 0;
        this.turnTo();
        for (const mark of this.line.children) mark.classList.toggle("chosen", mark.dataset.point === this.menu.value);
        this.turn();
    }

    /** Another point is chosen, or another archive of it. */
    turnTo() {
        const point = this.newest.find(({ name }) => name === this.menu.value);
        const archive = TREE.test(this.archives.value) ? `${point.name}/${this.archives.value}` : null;
        this.files?.choose(point, this.root.files ? point.name : archive);
        this.ready();
    }

    /** Turns the line, where it is a long one, to the point that is chosen. */
    turn() {
        const mark = this.line.querySelector(".chosen");
        if (mark !== null) this.line.scrollTop = mark.offsetTop - this.line.offsetTop - this.line.clientHeight / 2;
    }

    /** Takes what a look at some of them alone came to. What is chosen stays so, and what is said of a restore. */
    learn({ sets, findings, depth }) {
        this.files?.hear(findings);
        for (const { root, name, verdict } of sets) {
            const found = root === this.root.label ? this.newest.findIndex((point) => point.name === name) : -1;
            if (found < 0) continue;
            Object.assign(this.newest[found], { verdict, depth });
            this.menu.options[found].textContent = told(this.newest[found]);
            this.line.children[this.newest.length - 1 - found].replaceWith(this.mark(this.newest[found]));
        }
        this.chosen();
    }

    /** Whether what is chosen can be restored. Of a tree, any file that turns out whole can. */
    ready() {
        const { verdict, depth } = this.newest.find(({ name }) => name === this.menu.value);
        const { restores, files } = this.root;
        const [isTree, path] = [files || this.files?.tree, this.files?.path ?? ""];
        const none = isTree && verdict === "damaged" ? words.cannotRestoreAll : words.cannotRestore[verdict];
        const reasons = files ? [] : [none ?? (isTree ? words.orWhole : "")];
        if (verdict === "sound" && isUnread(depth)) reasons.push(words.restoresUnread);
        if (isTree && (files || verdict === "damaged")) reasons.push(words.treeRestores[verdict]);
        this.restore.disabled = path === "" && (files || verdict !== "sound");
        this.restore.textContent = files || path !== "" ? words.restoreFile : words.restorePoint;
        this.reason.textContent = restores || files ? reasons.filter((reason) => reason).join(" ") : "";
    }

    what() {
        const [point, archive, path] = [this.menu.value, this.archives.value, this.files?.path ?? ""];
        const whole = archive === "" ? { point, file: FILE } : { point: `${point}/${archive}`, file: archive };
        return path === "" ? whole : { point: `${whole.point}/${path}`, file: path.split("/").at(-1) };
    }
}

/** A point as the menu says it. */
function told({ name, bytes: length, verdict, depth }) {
    // Of some stores nobody says how long they are.
    const [made, long] = [when(name), length > 0 ? [bytes(length)] : []];
    return [made, ofPoint(verdict, depth), ...long, ...(made === name ? [] : [name])].join(" · ");
}
