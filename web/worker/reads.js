// Reads what the engine wants of the page's files, many pieces at a time.

/** How many files are remembered: each holds a handle of the browser's. */
const REMEMBERED = 512;

/**
 * Beginnings of files up to this length, in bytes, are read by the page: to hand a file over takes the browser longer than to
 * read a short one.
 */
const SHORT = 64 * 1024 + 1;

/** Wants on their way from the files to the engine. */
export class Reads {
    constructor(survey, ask, ready) {
        this.survey = survey;
        this.ask = ask;
        this.ready = ready;
        /** Files by number, the one used last at the end; and the reads that wait for one. */
        this.files = new Map();
        this.waiting = new Map();
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
    }

    /** Takes what the page read: for each want its bytes, or why there are none. */
    takeShort(answers) {
        for (const { id, bytes, error } of answers) {
            if (bytes) this.survey?.bytes(id, bytes);
            else this.survey?.failed(id, error);
        }
        if (this.survey !== null) this.ready();
    }

    async read({ id, at, length }, file) {
        try {
            if (length < 0) {
                this.survey?.length(id, BigInt(file.size));
            } else {
                const bytes = await file.slice(at, at + length).arrayBuffer();
                this.survey?.bytes(id, new Uint8Array(bytes));
            }
        } catch (error) {
            // A file that was changed or removed meanwhile, a disk that fails, no permission: never damage.
            this.survey?.failed(id, error.message ?? String(error));
        }
        if (this.survey !== null) this.ready();
    }
}
