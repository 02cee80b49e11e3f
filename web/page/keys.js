// The key of encrypted sets: opened in a worker, kept in memory, gone with the page.

import { at } from "./element.js";

/** The key that the person chose, if any. */
export class Keys {
    /** `changed` is called when another key, or none, is to be used. */
    constructor(pooling, changed) {
        this.pooling = pooling;
        this.changed = changed;
        /** The bytes of the key that is used. */
        this.secret = null;
        at("keyfile").addEventListener("change", () => this.open());
        at("passphrase").addEventListener("change", () => this.open());
    }

    /** Opens the chosen file with what was typed. */
    async open() {
        const [file] = at("keyfile").files;
        const before = this.secret;
        this.secret = null;
        at("key-status").textContent = await this.opened(file).catch((error) => `The key cannot be used: ${error.message}`);
        if (this.secret !== before) this.changed();
    }

    /** Takes the key of a file, and says in a sentence what came of it. */
    async opened(file) {
        if (file === undefined) return "";
        const pool = await this.pooling;
        const key = await pool.open(new Uint8Array(await file.arrayBuffer()), at("passphrase").value);
        if (key.locked) {
            at("passphrase").focus();
            return "This key file takes a passphrase.";
        }
        this.secret = key.secret;
        return `The key ${key.fingerprint.slice(0, 23)} is used.`;
    }
}
