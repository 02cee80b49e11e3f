// The key of encrypted sets: opened in a worker, kept in memory, gone with the page or when the person says so.

import { HighwaterError } from "../api/failure.js";
import { openKeys } from "../api/keys.js";
import { at } from "./element.js";
import { words } from "./language.js";

/** How the engine says that what was typed opens nothing. */
const PASSPHRASE = /^the passphrase is wrong/;

/** The codes of findings that a key may settle. */
const ASKING = new Set(["HW204", "HW206"]);

/** The keys that the person chose, the newest first: a set takes the one that it names, so a wrong one changes nothing. */
export class Keys {
    /** `changed` is called when other keys, or none, are to be used; `gone` ends whoever has one in memory. */
    constructor(hiring, changed, gone) {
        this.hiring = hiring;
        this.gone = gone;
        this.changed = changed;
        this.used = [];
        /** Counts what was said of keys: what is still being opened when another thing is said comes to nothing. */
        this.turn = 0;
        at("keyfile").addEventListener("change", () => this.open());
        at("passphrase").addEventListener("change", () => this.open());
        at("forget").addEventListener("click", () => this.forget());
    }

    /** The field stands where a key is asked for, when one would settle something; else at the drop. */
    asked(report) {
        const asks = report.findings.some(({ code }) => ASKING.has(code));
        const [place, focused] = [at(asks ? "key-wanted" : "key-place"), document.activeElement];
        if (at("key").parentElement !== place) {
            place.append(at("key"));
            // What moves loses the focus.
            const isTyped = at("key").contains(focused);
            if (isTyped) focused.focus();
            at("key").open = asks || isTyped;
        }
        at("key").open ||= asks;
    }

    /** Opens the chosen file with what was typed. A wrong one does not lose the right one. */
    async open() {
        const [file] = at("keyfile").files;
        if (file === undefined) return;
        this.turn += 1;
        const mine = this.turn;
        const crew = await this.hiring;
        try {
            const [key] = await openKeys(crew, [{ file, passphrase: at("passphrase").value }]);
            if (mine !== this.turn) {
                key.secret.fill(0);
                return;
            }
            const alike = this.used.filter(({ fingerprint }) => fingerprint === key.fingerprint);
            for (const { secret } of alike) secret.fill(0);
            this.used = [key, ...this.used.filter((other) => !alike.includes(other))];
            this.say(words.keyUsed(short(key)) + kept(this.used.slice(1)));
            this.changed();
        } catch (error) {
            if (mine === this.turn) this.refused(error);
        }
    }

    /** Nothing of them is kept: their bytes are overwritten, and the workers that had them end with all their memory. */
    forget() {
        this.turn += 1;
        for (const { secret } of this.used) secret.fill(0);
        this.used = [];
        [at("keyfile").value, at("passphrase").value] = ["", ""];
        at("keyfile").focus();
        this.gone();
        this.say(words.keyGone);
        this.changed();
    }

    /** Says what came of it. */
    say(said, isWrong = false) {
        at("key-status").textContent = said;
        at("key-status").classList.toggle("wrong", isWrong);
        at("forget").hidden = this.used.length === 0;
        at("key-title").textContent = this.used.length === 0 ? words.keyTitle : words.keyHeld;
    }

    /** It is no key, or takes a passphrase. Those that are used are used on. */
    refused(error) {
        if (error instanceof HighwaterError && error.code === "passphrase") {
            this.say(words.keyAsks + kept(this.used), true);
            at("passphrase").focus();
        } else {
            const why = PASSPHRASE.test(error.message) ? words.keyWrong : `${words.keyBad(error.message)}.`;
            this.say(why + kept(this.used), true);
        }
    }
}

function kept(keys) {
    return keys.map((key) => words.keyKept(short(key))).join("");
}

function short({ fingerprint }) {
    return fingerprint.slice(0, 23);
}
