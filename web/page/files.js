// The files of a point that is a tree: which of them are hurt, and one to restore.

import { make } from "./element.js";
import { words } from "./language.js";
import { few } from "./unfold.js";

/** How many files a menu names, and how many that are hurt are named. */
const NAMED = 1000;

/** A field for the path of a file of a point, with the names of some, and what is known of those that are hurt. */
export class Files {
    /** `ask` gives files of a point by options; `changed` hears when another path stands in the field. */
    constructor(root, findings, ask, changed) {
        this.label = root.label;
        this.findings = [];
        this.hear(findings);
        this.ask = ask;
        this.point = "";
        const list = `files-${root.label}`;
        this.names = make("datalist", { id: list });
        const attributes = { type: "text", list, placeholder: words.fileHint, autocomplete: "off", spellcheck: "false", "data-testid": "file" };
        this.field = make("input", { ...attributes, "aria-label": words.fileOf(root.label), input: changed, focus: () => this.name() });
        this.hurt = make("p", { role: "status", "data-testid": "hurt-files" });
    }

    /** What is to be restored, if anything. */
    get path() {
        return this.field.value.replace(/^[/]+/, "");
    }

    /** Takes what was found. */
    hear(findings) {
        this.findings.push(...findings.filter(({ root, object }) => root === this.label && object !== ""));
    }

    /** Another point is chosen, or more is known of this one. */
    choose({ name, verdict }) {
        this.point = name;
        this.names.replaceChildren();
        this.hurt.replaceChildren();
        if (verdict === "damaged") this.look();
    }

    /** Names the files, once somebody wants to know. */
    async name() {
        const { point } = this;
        if (this.names.childElementCount > 0) return;
        const { files } = await this.ask({ point, most: NAMED }).catch(() => ({ files: [] }));
        if (point === this.point) this.names.replaceChildren(...files.map(({ path }) => make("option", { value: path })));
    }

    /** Finds out which files have bytes in what is damaged. */
    async look() {
        const { point } = this;
        const hurting = this.findings.filter(({ severity, sets, sets_total: all }) => severity === "damage" && (sets.includes(point) || all > sets.length));
        this.hurt.textContent = words.lookingFor;
        const said = await this.ask({ point, objects: hurting.map(({ object }) => object), most: NAMED }).then(
            ({ files, total }) => (total > 0 ? [words.hurtFiles(total), ...few(files, paths, words.andOthers)] : []),
            (error) => [words.filesUnknown(error.message)],
        );
        if (point === this.point) this.hurt.replaceChildren(...said);
    }
}

function paths(files) {
    return files.flatMap(({ path }, at) => [at > 0 ? ", " : " ", make("span", { class: "name" }, path)]);
}
