// The key of encrypted sets: opened in a worker, kept in memory, gone with the page.

import { HighwaterError } from "../api/failure.js";
import { openKeys } from "../api/keys.js";
import { at } from "./element.js";

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
    }

    /** Opens the chosen file with what was typed. A wrong one does not lose the right one. */
    async open() {
        const [file] = at("keyfile").files;
        const before = this.used;
        at("key-status").textContent = await this.opened(file).catch((error) => this.refused(error));
        if (this.used !== before) this.changed();
    }

    refused(error) {
        const kept = this.used.map(({ fingerprint }) => ` The key ${fingerprint.slice(0, 23)} is used as before.`).join("");
        if (error instanceof HighwaterError && error.code === "passphrase") {
            at("passphrase").focus();
            return `This key file takes a passphrase.${kept}`;
        }
        return `The key cannot be used: ${error.message}${kept && `.${kept}`}`;
    }

    /** Takes the key of a file, and says in a sentence what came of it. */
    async opened(file) {
        if (file === undefined) {
            this.used = [];
            return "";
        }
        this.used = await openKeys(await this.pooling, [{ file, passphrase: at("passphrase").value }]);
        return `The key ${this.used[0].fingerprint.slice(0, 23)} is used.`;
    }
}
