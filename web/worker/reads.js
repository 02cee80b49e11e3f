// Reads what the engine wants of the page's files, many at a time.

/** How many files are remembered: each holds a handle of the browser's. */
const REMEMBERED = 512;

/**
 * Beginnings of files up to this length, in bytes, are read by the page: to hand a file over takes the browser longer than to
 * read a short one.
 */
const SHORT = 64 * 1024 + 1;

/** How many files are kept open between reads, and how much of one is asked of the browser at a time, in bytes. */
const OPEN = 48;
const STRETCH = 64 * 1024 * 1024;

/** What a want may ask instead of bytes, in the place of how many. */
const LENGTH = -1;
const UNCHANGED = -2;

/** How many bytes the engine gets at a time: what it holds depends on this, and browsers may give any number. */
const MOST = 1024 * 1024;

/** How many bytes are read at a time, and how long a read into memory may take, in milliseconds. */
const PIECE = 512 * 1024;
const PATIENCE = 1000;

/** In place of what such a read came to. */
const LATE = Symbol("late");

const SHORTER = "it is shorter than it was";

const EMPTY = new Uint8Array(0);

/** Wants on their way from the files to the engine. */
export class Reads {
    constructor(survey, ask, ready) {
        this.survey = survey;
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

/** A file being read from an offset on. The browser reads ahead of it, so that a long range takes much less than many short ones. */
class Stream {
    constructor(number, file, at) {
        this.number = number;
        this.file = file;
        this.size = file.size;
        this.next = at;
        /** What was read and not taken. */
        this.rest = EMPTY;
        this.reader = null;
        /** Where the reader's stretch ends. */
        this.end = at;
        /** What is read into, again and again, as long as the reader lends itself to that: fresh memory for every piece takes longer than to read it. */
        this.memory = null;
        this.lends = true;
    }

    /** At most so many bytes; they are good until the next read. */
    async read(length) {
        if (this.rest.length === 0 && this.next < this.size) this.rest = await this.more();
        const bytes = this.rest.subarray(0, Math.min(length, MOST));
        this.rest = this.rest.subarray(bytes.length);
        this.next += bytes.length;
        return { bytes, last: this.next >= this.size };
    }

    /** The next bytes of the file, at least one. */
    async more() {
        if (this.next === this.end) return this.begin();
        const view = this.lends && new Uint8Array(this.memory ?? new ArrayBuffer(Math.min(PIECE, this.size - this.next)));
        this.memory = null;
        const answer = await (this.lends ? inTime(this.reader.read(view)) : this.reader.read());
        if (answer === LATE) {
            this.lends = false;
            return this.begin();
        }
        if (answer.done) throw new Error(SHORTER);
        if (this.lends) this.memory = answer.value.buffer;
        return answer.value;
    }

    /**
     * Begins a stretch: gives its first bytes. Chromium has been seen to leave a read into memory without an answer, if it waits
     * when the stretch begins or ends: so none does, and one that waits for long elsewhere is given up for one that needs no memory.
     */
    async begin() {
        this.close();
        this.end = Math.min(this.size, this.next + STRETCH);
        const stream = this.file.slice(this.next, this.end).stream();
        this.reader = stream.getReader();
        const { done, value } = await this.reader.read();
        if (done) throw new Error(SHORTER);
        if (this.lends) {
            this.reader.releaseLock();
            [this.reader, this.lends] = readerOf(stream);
        }
        return value;
    }

    close() {
        this.reader?.cancel().catch(() => {});
    }
}

/** A reader that reads into memory that it is given, where the browser has it; and whether it does. */
function readerOf(stream) {
    try {
        return [stream.getReader({ mode: "byob" }), true];
    } catch {
        return [stream.getReader(), false];
    }
}

/** What a read comes to, or that it is late. */
function inTime(read) {
    let timer;
    const late = new Promise((give) => {
        timer = setTimeout(give, PATIENCE, LATE);
    });
    return Promise.race([read, late]).finally(() => clearTimeout(timer));
}
