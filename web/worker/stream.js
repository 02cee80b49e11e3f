// A file being read from an offset on, into memory that is used again where the browser can.

/** How much of a file is asked of the browser at a time, in bytes. */
const STRETCH = 64 * 1024 * 1024;

/** A file up to this length, in bytes, is read in one piece. */
const WHOLE = 5 * 1024 * 1024;

/** How many bytes of others the engine gets at a time: what it holds depends on this, and browsers may give any number. */
const MOST = 1024 * 1024;

/** How many bytes of them are read at a time, and how long a read into memory may take, in milliseconds. */
const PIECE = 512 * 1024;
const PATIENCE = 1000;

/** In place of what such a read came to. */
const LATE = Symbol("late");

const SHORTER = "it is shorter than it was";

const EMPTY = new Uint8Array(0);

/** A file being read from an offset on. The browser reads ahead of it, so that a long range takes much less than many short ones. */
export class Stream {
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
        const bytes = this.rest.subarray(0, Math.min(length, this.size <= WHOLE ? WHOLE : MOST));
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
        if (this.next === 0 && this.size <= WHOLE) {
            this.end = this.size;
            return new Uint8Array(await this.file.arrayBuffer());
        }
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
