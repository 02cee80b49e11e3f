// Reads what the engine wants of the page's files, many at a time.

import { Stream } from "./stream.js";

/** How many files are remembered: each holds a handle of the browser's. */
const REMEMBERED = 512;

/**
 * Beginnings of files up to this length, in bytes, are read by the page: to hand a file over takes the browser longer than to
 * read a short one.
 */
const SHORT = 64 * 1024 + 1;

/** How many files are kept open between reads. */
const OPEN = 48;

/** What a want may ask instead of bytes, in the place of how many. */
const LENGTH = -1;
const UNCHANGED = -2;

/** And of no file: the SHA-256 of bytes in the engine's memory, which lie at `at` and are as many as `file` says. */
const DIGEST = -3;

/** Wants on their way from the files to the engine. */
export class Reads {
    constructor(survey, hasher, ask, ready) {
        this.survey = survey;
        this.hasher = hasher;
        this.ask = ask;
        this.ready = ready;
        /** Files by number, the one used last at the end; and the reads that wait for one. */
        this.files = new Map();
        this.waiting = new Map();
        /** Files that were read up to some place, and may be read on from there: the one used last at the end. */
        this.streams = [];
    }

    /** Begins to read: four numbers each, as the engine writes them. */
    start(wants) {
        const needed = [];
        const short = [];
        for (let i = 0; i < wants.length; i += 4) {
            const want = { id: wants[i], file: wants[i + 1], at: wants[i + 2], length: wants[i + 3] };
            if (want.length === DIGEST) {
                this.digest(want);
                continue;
            }
            const file = this.files.get(want.file);
            if (file !== undefined) {
                this.files.delete(want.file);
                this.files.set(want.file, file);
                this.read(want, file);
            } else if (want.at === 0 && want.length >= 0 && want.length <= SHORT) {
                short.push(want);
            } else if (this.waiting.has(want.file)) {
                this.waiting.get(want.file).push(want);
            } else {
                this.waiting.set(want.file, [want]);
                needed.push(want.file);
            }
        }
        if (needed.length > 0 || short.length > 0) this.ask(needed, short);
    }

    /** Takes files that were asked for; in place of one that could not be opened comes the reason. */
    take(numbers, files, errors) {
        numbers.forEach((number, at) => {
            const waiting = this.waiting.get(number) ?? [];
            this.waiting.delete(number);
            if (files[at] === null) {
                waiting.forEach((want) => this.survey?.failed(want.id, errors[at]));
                this.ready();
                return;
            }
            this.files.set(number, files[at]);
            waiting.forEach((want) => this.read(want, files[at]));
        });
        for (const number of this.files.keys()) {
            if (this.files.size <= REMEMBERED) break;
            this.files.delete(number);
        }
    }

    /** The survey is over: what is still under way was read ahead, and nobody waits for it. */
    close() {
        this.survey = null;
        for (const stream of this.streams) stream.close();
        this.streams = [];
    }

    /** Takes what the page read: for each want its bytes, or why there are none. */
    takeShort(answers) {
        for (const { id, bytes, last, error } of answers) {
            if (last) this.survey?.last(id, bytes);
            else if (bytes) this.survey?.bytes(id, bytes);
            else this.survey?.failed(id, error);
        }
        if (this.survey !== null) this.ready();
    }

    async read(want, file) {
        try {
            if (want.length === LENGTH) {
                this.survey?.length(want.id, BigInt(file.size));
            } else if (want.length === UNCHANGED) {
                // A stream goes on through a file that is replaced; a new read of the same `File` fails.
                await file.slice(0, 1).arrayBuffer();
                this.survey?.unchanged(want.id);
            } else {
                await this.some(want, file);
            }
        } catch (error) {
            // A file that was changed or removed meanwhile, a disk that fails, no permission: never damage.
            this.survey?.failed(want.id, error.message ?? String(error));
        }
        if (this.survey !== null) this.ready();
    }

    /** Makes a digest; one that the browser fails to make, the engine makes itself. */
    async digest({ id, file: length, at }) {
        try {
            const digest = await this.hasher.digest(at, length);
            this.survey?.digest(id, digest);
        } catch (error) {
            this.survey?.failed(id, String(error));
        }
        if (this.survey !== null) this.ready();
    }

    /** Gives the engine bytes of a file from an offset on, at least one unless it ends there. */
    async some({ id, file: number, at, length }, file) {
        const found = this.streams.findIndex((stream) => stream.number === number && stream.next === at);
        const [stream] = found < 0 ? [new Stream(number, file, at)] : this.streams.splice(found, 1);
        const { bytes, last } = await stream.read(length);
        // The engine copies them now: as soon as the stream is kept, the next read may write over them.
        if (last) this.survey?.last(id, bytes);
        else this.survey?.bytes(id, bytes);
        if (last || this.survey === null) stream.close();
        else this.streams.push(stream);
        if (this.streams.length > OPEN) this.streams.shift().close();
    }
}
