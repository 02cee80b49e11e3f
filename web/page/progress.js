// How far a run is: bytes, rate and time left.

import { words } from "./language.js";
import { bytes, duration } from "./words.js";

/** Seconds over which the rate is taken. */
const WINDOW = 3;

/** What is known before anything is heard. */
const NOTHING = { done: 0, expected: 0, complete: false, settled: 0, damaged: 0, unreadable: 0 };

/** The progress of all workers over all roots. */
export class Progress {
    constructor(bar, pace) {
        this.bar = bar;
        this.pace = pace;
        this.now = NOTHING;
    }

    /** Begins anew. */
    begin() {
        this.now = NOTHING;
        this.moments = [];
        this.shown = 0;
        this.paused = false;
        this.bar.removeAttribute("value");
        this.pace.textContent = words.index;
    }

    /** Takes what the check tells. */
    hear(now) {
        this.now = now;
    }

    /** It rests, or goes on: what comes in meanwhile does not hide that, and the time that it took does not count. */
    rest(yes) {
        this.paused = yes;
        this.moments = [];
        this.show(true);
    }

    /** Shows it, and gives the share that is done. */
    show(force = false) {
        const now = performance.now() / 1000;
        const { done, expected, complete, settled } = this.now;
        this.moments.push([now, done]);
        while (this.moments.length > 2 && now - this.moments[0][0] > WINDOW) this.moments.shift();
        const share = expected > 0 ? Math.min(1, done / expected) : 0;
        if (!force && now - this.shown < 0.2) return share;
        this.shown = now;
        const [[from, before]] = this.moments;
        const rate = now - from > 0.3 ? (done - before) / (now - from) : 0;
        const said = [words.of(bytes(done), bytes(expected)), words.settled(settled)];
        if (rate > 0) said.push(`${bytes(rate)}/s`);
        if (rate > 0 && complete) said.push(words.left(duration((expected - done) / rate)));
        if (complete) this.bar.value = share;
        this.pace.textContent = said.join(" · ") + (this.paused ? words.paused : "");
        return share;
    }
}
