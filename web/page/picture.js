// The live picture: a band for each chain of each set, a cell for each chunk along its points, coloured as it is checked.

import { make } from "./element.js";
import { words } from "./language.js";
import { isUnread } from "./verdict.js";
import { bytes, number } from "./words.js";

/** What is known of a chunk; the engine writes these numbers. */
const WAITING = 0;
const SOUND = 1;
const DAMAGED = 2;
const UNREADABLE = 3;
/** Of a chunk that is being read, which only the page knows. */
const CHECKING = 4;

const STATES = ["waiting", "sound", "damaged", "unreadable", "checking"];

/** The narrowest cell, in CSS pixels, the pixels between two, and how many bands are drawn. */
const NARROWEST = 5;
const GAP = 1;
const BANDS = 24;

/** How often bands are drawn, and how often they are told in words, in milliseconds. */
const DRAW = 120;
const TELL = 1500;

/** The picture of all sets of a drop. */
export class Picture {
    constructor(place) {
        this.place = place;
        this.sets = [];
        this.drawn = 0;
        this.told = 0;
        this.planned = false;
        this.telling = 0;
        this.share = 0;
        addEventListener("resize", () => this.soon());
        matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.soon());
    }

    /** Begins anew, with these sets. */
    begin(roots, depth) {
        // What was not read is not called whole here either.
        this.states = words.states.map((name, state) => (state === SOUND && isUnread(depth) ? words.stateUnread : name));
        document.querySelector('[data-say="states.1"]').textContent = this.states[SOUND];
        this.place.replaceChildren();
        this.sets = roots.map((root) => ({ label: root.label, chains: new Map(), chunks: new Map(), hurt: new Set() }));
        this.share = 0;
    }

    /** Takes a worker's news about set `at`. */
    hear(at, worker, { claims, settled, sets, spans }) {
        const set = this.sets[at];
        sets.forEach((name, i) => {
            const chain = this.chain(set, spans[2 * i]);
            chain.points.push(name);
            chain.bytes = Math.max(chain.bytes, spans[2 * i + 1]);
        });
        if (!set.chunks.has(worker)) set.chunks.set(worker, { groups: [], ordinals: [], states: [] });
        const chunks = set.chunks.get(worker);
        for (let i = 0; i < claims.length; i += 2) {
            chunks.groups.push(claims[i]);
            chunks.ordinals.push(claims[i + 1]);
            chunks.states.push(WAITING);
        }
        for (let i = 0; i < settled.length; i += 2) chunks.states[settled[i]] = settled[i + 1];
        this.soon();
    }

    /** Takes the verdicts on points: a chunk that several share is drawn where it was first needed, and hurts them all. */
    judge(roots) {
        for (const { label, newest } of roots) {
            const damaged = newest.filter(({ verdict }) => verdict === "damaged");
            const set = this.sets.find((some) => some.label === label);
            if (set) set.hurt = new Set(damaged.map(({ name }) => name));
        }
    }

    /** How much of everything is done, from 0 to 1: that of a chunk which is being read is not known. */
    progress(share) {
        this.share = share;
    }

    chain(set, group) {
        if (!set.chains.has(group)) {
            const first = [...set.chains.values()].reduce((sum, chain) => sum + chain.points.length, 0);
            set.chains.set(group, { first, points: [], bytes: 0, band: null });
        }
        return set.chains.get(group);
    }

    /** Draws before long. */
    soon() {
        if (this.planned) return;
        this.planned = true;
        setTimeout(() => {
            this.planned = false;
            this.draw();
        }, Math.max(0, this.drawn + DRAW - performance.now()));
    }

    draw(last = false) {
        this.drawn = performance.now();
        const tell = last || this.drawn - this.told > TELL;
        if (tell) this.told = this.drawn;
        // When no more news comes, as while it rests, the words follow what is drawn all the same.
        clearTimeout(this.telling);
        if (!tell) this.telling = setTimeout(() => this.draw(true), TELL);
        for (const set of this.sets) {
            for (const [group, chain] of set.chains) {
                if (chain.band === null && this.place.childElementCount < BANDS) chain.band = this.band();
                if (chain.band !== null) this.paint(set, group, chain, tell);
            }
        }
    }

    band() {
        const [title, canvas, told] = [make("span"), make("canvas", { "aria-hidden": "true" }), make("span")];
        this.place.append(make("div", { class: "band" }, make("p", {}, title, told), canvas));
        return { title, canvas, told };
    }

    paint(set, group, chain, tell) {
        const { title, canvas, told } = chain.band;
        const points = chain.points.length;
        const [width, height, ratio] = [canvas.clientWidth, canvas.clientHeight, devicePixelRatio || 1];
        const cells = Math.max(1, Math.min(points, Math.floor(width / NARROWEST)));
        const counts = new Uint32Array(cells * STATES.length);
        const totals = [0, 0, 0, 0, 0];
        for (const { groups, ordinals, states } of set.chunks.values()) {
            for (let i = 0; i < states.length; i += 1) {
                if (groups[i] !== group) continue;
                const cell = Math.min(cells - 1, Math.max(0, Math.floor(((ordinals[i] - chain.first) / points) * cells)));
                counts[cell * STATES.length + states[i]] += 1;
                totals[states[i]] += 1;
            }
        }
        chain.points.forEach((name, i) => {
            if (set.hurt.has(name)) counts[Math.floor((i / points) * cells) * STATES.length + DAMAGED] += 1;
        });
        if (tell || title.textContent === "") {
            const [from, to] = [chain.points[0], chain.points.at(-1)];
            title.textContent = `${set.label}: ${from === to ? from : words.span(from, to)}, ${bytes(chain.bytes)}`;
            const parts = totals.map((total, state) => (total > 0 ? `${number(total)} ${this.states[state]}` : ""));
            told.textContent = parts.filter((part) => part).join(", ");
        }
        canvas.width = Math.max(1, Math.round(width * ratio));
        canvas.height = Math.max(1, Math.round(height * ratio));
        const brush = canvas.getContext("2d");
        brush.scale(ratio, ratio);
        const style = getComputedStyle(canvas);
        const colours = STATES.map((name) => colour(style, name));
        for (let cell = 0; cell < cells; cell += 1) {
            const at = counts.subarray(cell * STATES.length, (cell + 1) * STATES.length);
            const left = (cell * width) / cells;
            const box = [left, 0, Math.max(1, width / cells - (cells > 1 ? GAP : 0)), height];
            this.cell(brush, box, at, colours);
        }
    }

    /** The worst wins: a damaged chunk among a thousand sound ones must be seen. */
    cell(brush, [left, top, width, height], counts, colours) {
        const fill = (state, part = 1) => {
            brush.fillStyle = colours[state];
            brush.fillRect(left, top + height * (1 - part), width, height * part);
        };
        const all = counts.reduce((sum, some) => sum + some, 0);
        fill(WAITING);
        if (counts[DAMAGED] > 0) {
            fill(DAMAGED);
            hatch(brush, left, top, width, height);
        } else if (counts[UNREADABLE] > 0) {
            fill(UNREADABLE);
            dots(brush, left, top, width, height);
        } else if (all > 0) {
            const isOne = counts[WAITING] === 1 && all === 1;
            fill(isOne ? CHECKING : SOUND, isOne ? this.share * 0.9 : counts[SOUND] / all);
        }
    }
}

/** A colour of the style sheet, for the light or the dark page. */
function colour(style, name) {
    const value = style.getPropertyValue(`--${name}`);
    const pair = /^light-dark\((.*),(.*)\)$/.exec(value.trim());
    if (pair === null) return value;
    return matchMedia("(prefers-color-scheme: dark)").matches ? pair[2].trim() : pair[1].trim();
}

/** Stripes, for those who do not tell the colours apart. */
function hatch(brush, left, top, width, height) {
    brush.save();
    brush.beginPath();
    brush.rect(left, top, width, height);
    brush.clip();
    brush.strokeStyle = "rgba(255, 255, 255, 0.75)";
    brush.lineWidth = 1.5;
    for (let x = left - height; x < left + width; x += 6) {
        brush.beginPath();
        brush.moveTo(x, top + height);
        brush.lineTo(x + height, top);
        brush.stroke();
    }
    brush.restore();
}

function dots(brush, left, top, width, height) {
    brush.fillStyle = "rgba(255, 255, 255, 0.85)";
    for (let x = left + 2; x < left + width; x += 5) {
        for (let y = top + 3; y < top + height; y += 6) brush.fillRect(x, y, 1.5, 1.5);
    }
}
