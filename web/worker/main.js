// A worker: owns one engine and does one part of one root at a time. It never asks for anything but files of its page.

/** Makes SHA-256 digests; none where the browser has none for pages, as where a server gives them over plain http. */
let digests;

/** The entries of the root, while they come; then what is done with them. */
let listing = null;
let job = null;
let paused = false;

/** The number of the request at hand. A message that bears another is of an earlier one, whose numbers mean other files. */
let current = 0;

function post(message, transfer = []) {
    postMessage({ ...message, job: current }, transfer);
}

/** What a job asks and tells. */
const host = {
    need: (numbers, short) => post({ what: "need", numbers, short }),
    told: (news) => post({ what: "told", news }, [news.claims.buffer, news.settled.buffer, news.spans.buffer]),
    restored: (bytes, end) => post({ what: "restored", bytes, end }, [bytes.buffer]),
    done(result) {
        over();
        post({ what: "done", result }, result?.report instanceof Uint8Array ? [result.report.buffer] : []);
    },
    broke,
};

/** The job at hand is over, or given up. */
function over() {
    job?.close();
    job = null;
    listing?.free();
    listing = null;
}

/** What goes wrong here is a request that makes no sense, or the program's fault: the page must hear of it. */
function broke(error) {
    job = null;
    post({ what: "broke", code: error?.code ?? "internal", message: error?.message ?? String(error) });
}

/** Why something failed, in a sentence; a host with a disk has words for it. */
const said = (error) => globalThis.sentence?.(error) ?? error?.message ?? String(error);

/** Files of a browser are used as they come; where there is a disk, a path is opened. */
const opened = (file) => (file !== null && typeof file === "object" && "path" in file ? globalThis.openPath(file.path) : file);

/** A byte of a name that is no UTF-8 is a lone surrogate in its text. */
const LONE = /\p{Surrogate}/u;

/** The bytes of a name. */
function bytesOf(name) {
    if (!LONE.test(name)) return new TextEncoder().encode(name);
    return Uint8Array.from([...name].flatMap((one) => (LONE.test(one) ? [one.charCodeAt(0) - 0xdc00] : [...new TextEncoder().encode(one)])));
}

/** What is said to the worker, whatever it does. */
const ALWAYS = {
    module({ module, port }) {
        wasm_bindgen.initSync({ module });
        digests = wasm_bindgen.Digests.begin(port ?? undefined);
    },
    serve({ module, port }) {
        wasm_bindgen.initSync({ module });
        wasm_bindgen.serveDigests(port);
    },
    pause() {
        paused = true;
        job?.pause();
    },
    resume() {
        paused = false;
        job?.resume();
    },
};

/** What a request begins with. */
const BEGINNINGS = {
    begin() {
        over();
        listing = new wasm_bindgen.Listing();
    },
    conclude({ roots, depth, strict, listed }) {
        post({ what: "done", result: wasm_bindgen.conclude(roots, depth, strict, listed) });
    },
    key({ file, passphrase }) {
        post({ what: "done", result: wasm_bindgen.openKey(file, passphrase) });
    },
};

/** What goes on with a request that was begun and is not over. */
const CONTINUATIONS = {
    /** Entries of the root's listing: names with what each is, numbered from `first`. */
    list({ names, kinds, first }) {
        if (names.every((name) => !LONE.test(name))) listing.add(names, kinds, first);
        else names.forEach((name, at) => listing.addBytes(bytesOf(name), kinds[at], first + at));
    },
    /** What links lead to, and what cannot be read. */
    odd({ odd }) {
        for (const { name, to, why, link, circle } of odd) {
            if (to !== undefined) listing.lead(bytesOf(name), bytesOf(to));
            else if (link !== undefined) listing.refuseLink(bytesOf(name), bytesOf(link), circle);
            else listing.refuse(bytesOf(name), why);
        }
    },
    /** Says what the listing looks like; nothing is begun with it. */
    recognise() {
        const result = listing.recognise();
        over();
        post({ what: "done", result });
    },
    /** The listing is complete. */
    go({ options }) {
        const taken = listing;
        listing = null;
        job = new wasm_bindgen.Job(options, taken, host, digests?.again());
        if (!paused) job.resume();
    },
    async files({ numbers, files }) {
        const mine = job;
        const all = await Promise.all(files.map((file) => Promise.resolve(opened(file)).catch(said)));
        if (mine === job) mine?.files(numbers, all);
    },
    beginnings({ some }) {
        job?.beginnings(some);
    },
    written() {
        job?.written();
    },
};

globalThis.onmessage = async ({ data }) => {
    try {
        if (data.what in ALWAYS) {
            ALWAYS[data.what](data);
        } else if (data.what in BEGINNINGS) {
            current = data.job;
            BEGINNINGS[data.what](data);
        } else if (data.job === current) {
            await CONTINUATIONS[data.what](data);
        }
    } catch (error) {
        broke(error);
    }
};
globalThis.onunhandledrejection = ({ reason }) => broke(reason);
