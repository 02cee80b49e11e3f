// The files of a point that is a tree: which of them are hurt, and one to restore.

import { make } from "./element.js";
import { words } from "./language.js";
import { few } from "./unfold.js";

/** How many files a menu names, and how many that are hurt are named; and among how many the menu looks for what is typed. */
const NAMED = 1000;
const SOUGHT = 200_000;

/** A field for the path of a file of a point, with the names of some, and what is known of those that are hurt. */
export class Files {
    /** `ask` gives files of a point by options; `changed` hears when another path stands in the field. */
    constructor(root, findings, ask, changed) {
        this.label = root.label;
        /** Whether there are more files than the menu names; then all paths, once something is typed. */
        this.isMore = false;
        this.all = null;
        this.findings = [];
        this.hear(findings);
        this.ask = ask;
        /** The paths that are offered, by how they stand in the field. */
        this.shown = new Map();
        [this.point, this.tree] = ["", ""];
        const list = `files-${root.label}`;
        this.names = make("datalist", { id: list });
        const attributes = { type: "text", list, placeholder: words.fileHint, autocomplete: "off", spellcheck: "false", "data-testid": "file" };
        this.field = make("input", { ...attributes, "aria-label": words.fileOf(root.label), focus: () => this.name() });
        this.field.addEventListener("input", () => {
            changed();
            this.narrow();
        });
        this.hurt = make("p", { role: "status", "data-testid": "hurt-files" });
    }

    /** What is to be restored, if anything. */
    get path() {
        if (this.field.hidden) return "";
        return this.shown.get(this.field.value) ?? this.field.value.replace(/^[/]+/, "");
    }

    /** Takes what was found. */
    hear(findings) {
        this.findings.push(...findings.filter(({ root, object }) => root === this.label && object !== ""));
    }

    /** Another point is chosen, or more is known of this one; `tree` is what of it has files, if anything. */
    choose({ name, verdict }, tree) {
        [this.point, this.tree, this.isMore, this.all] = [name, tree, false, null];
        this.field.hidden = tree === null;
        this.names.replaceChildren();
        this.hurt.replaceChildren();
        if (verdict === "damaged" && tree !== null) this.look();
    }

    /** Names the files, once somebody wants to know. */
    async name() {
        const { tree } = this;
        if (this.names.childElementCount > 0) return;
        const { files, total } = await this.ask({ point: tree, most: NAMED }).catch(() => ({ files: [], total: 0 }));
        if (tree !== this.tree) return;
        this.isMore = total > files.length;
        this.offer(files.map(({ path }) => path));
    }

    /** Of more files than the menu names, it names those that have what is typed in their paths. */
    async narrow() {
        const { tree } = this;
        if (!this.isMore) return;
        this.all ??= this.ask({ point: tree, most: SOUGHT }).then(({ files }) => files.map(({ path }) => path), () => []);
        const all = await this.all;
        if (tree !== this.tree) return;
        const [some, typed] = [[], this.field.value.replace(/^[/]+/, "")];
        for (const path of all) {
            if (some.length < NAMED && lined(path).includes(typed)) some.push(path);
        }
        this.offer(some);
    }

    offer(paths) {
        this.shown = new Map();
        const whole = new Set(paths);
        for (const path of paths) {
            let value = lined(path);
            // Another file may be called so.
            while (value !== path && (whole.has(value) || this.shown.has(value))) value += "␊";
            this.shown.set(value, path);
        }
        this.names.replaceChildren(...[...this.shown.keys()].map((value) => make("option", { value })));
    }

    /** Finds out which files have bytes in what is damaged. */
    async look() {
        const { point, tree } = this;
        const hurting = this.findings.filter(({ severity, sets, sets_total: all }) => severity === "damage" && (sets.includes(point) || all > sets.length));
        this.hurt.textContent = words.lookingFor;
        const said = await this.ask({ point: tree, objects: hurting.map(({ object }) => object), most: NAMED }).then(
            ({ files, total }) => (total > 0 ? [words.hurtFiles(total), ...few(files, paths, words.andOthers)] : []),
            (error) => [words.filesUnknown(error.message)],
        );
        if (tree === this.tree) this.hurt.replaceChildren(...said);
    }
}

function paths(files) {
    return files.flatMap(({ path }, at) => [at > 0 ? ", " : " ", make("span", { class: "name" }, path)]);
}

/** A path in one line, as the field takes it. */
export function lined(path) {
    return path.replaceAll("\n", "␊").replaceAll("\r", "␍");
}
