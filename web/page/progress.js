// How far a run is: bytes, rate and time left.

import { bytes, count, duration } from "./words.js";

/** Seconds over which the rate is taken. */
const WINDOW = 3;

/** The progress of all workers over all roots. */
export class Progress {
    constructor(bar, pace) {
        this.bar = bar;
        this.pace = pace;
    }

    /** Begins anew. */
    begin() {
        this.parts = new Map();
        this.settled = 0;
        this.moments = [];
        this.shown = 0;
        this.bar.removeAttribute("value");
        this.pace.textContent = "reading the index";
    }

    /** Takes the news of one worker about one root; `key` names both. */
    hear(key, { progress, settled }) {
        this.parts.set(key, progress);
        this.settled += settled.length / 2;
    }

    /** Time that a pause took does not count. */
    rest() {
        this.moments = [];
    }

    /** Shows it, and gives the share that is done. */
    show(force = false) {
        const now = performance.now() / 1000;
        let [done, expected, complete] = [0, 0, true];
        for (const [some, all, known] of this.parts.values()) {
            done += some;
            expected += all;
            complete &&= known === 1;
        }
        this.moments.push([now, done]);
        while (this.moments.length > 2 && now - this.moments[0][0] > WINDOW) this.moments.shift();
        const share = expected > 0 ? Math.min(1, done / expected) : 0;
        if (!force && now - this.shown < 0.2) return share;
        this.shown = now;
        const [[from, before]] = this.moments;
        const rate = now - from > 0.3 ? (done - before) / (now - from) : 0;
        const words = [`${bytes(done)} of ${bytes(expected)}`, `${count(this.settled, "chunk")} settled`];
        if (rate > 0) words.push(`${bytes(rate)}/s`);
        if (rate > 0 && complete) words.push(`${duration((expected - done) / rate)} left`);
        if (complete) this.bar.value = share;
        this.pace.textContent = words.join(" · ");
        return share;
    }
}
