// The key of encrypted sets: opened in a worker, kept in memory, gone with the page or when the person says so.

import { HighwaterError } from "../api/failure.js";
import { openKeys } from "../api/keys.js";
import { at } from "./element.js";
import { words } from "./language.js";

/** The codes of findings that a key may settle. */
const ASKING = new Set(["HW204", "HW206"]);

/** The key that the person chose, if any. */
export class Keys {
    /** `changed` is called when another key, or none, is to be used. */
    constructor(pooling, changed) {
        this.pooling = pooling;
        this.changed = changed;
        /** The key that is used, if any. */
        this.used = [];
        at("keyfile").addEventListener("change", () => this.open());
        at("passphrase").addEventListener("change", () => this.open());
        at("forget").addEventListener("click", () => this.forget());
    }

    /** The field stands where a key is asked for, when one would settle something; else at the drop. */
    asked(report) {
        const asks = report.findings.some(({ code }) => ASKING.has(code));
        at(asks ? "key-wanted" : "key-place").append(at("key"));
        at("key").open ||= asks;
    }

    /** Opens the chosen file with what was typed. A wrong one does not lose the right one. */
    async open() {
        const [file] = at("keyfile").files;
        if (file === undefined) return;
        const before = this.used;
        const said = await this.opened(file).catch((error) => this.refused(error));
        at("key-status").textContent = said;
        at("forget").hidden = this.used.length === 0;
        if (this.used !== before) this.changed();
    }

    /** Nothing of it is kept. */
    forget() {
        for (const { secret } of this.used) secret.fill(0);
        this.used = [];
        [at("keyfile").value, at("passphrase").value] = ["", ""];
        at("key-status").textContent = words.keyGone;
        at("forget").hidden = true;
        this.changed();
    }

    refused(error) {
        const kept = this.used.map((key) => words.keyKept(short(key))).join("");
        at("key-status").classList.add("wrong");
        if (error instanceof HighwaterError && error.code === "passphrase") {
            at("passphrase").focus();
            return `${words.keyAsks}${kept}`;
        }
        return `${words.keyBad(error.message)}${kept && `.${kept}`}`;
    }

    /** Takes the key of a file, and says in a sentence what came of it. */
    async opened(file) {
        const used = await openKeys(await this.pooling, [{ file, passphrase: at("passphrase").value }]);
        at("key-status").classList.remove("wrong");
        this.used = used;
        return words.keyUsed(short(used[0]));
    }
}

function short({ fingerprint }) {
    return fingerprint.slice(0, 23);
}
