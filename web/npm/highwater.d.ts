// Types of the package `highwater`.

// What a browser and node both have, or one of them: a project's own library says more of each, where it knows them.
declare global {
    interface FileSystemDirectoryHandle {
        readonly kind: "directory";
    }
    interface Blob {
        readonly size: number;
    }
    interface File extends Blob {
        readonly name: string;
    }
    interface ReadableStream<R = any> {
        readonly locked: boolean;
    }
    interface AbortSignal {
        readonly aborted: boolean;
    }
}

/** Where a backup is: a folder's handle, files (of an input with `webkitdirectory`, say), entries, backups found before, or in node a path. */
export type Source = FileSystemDirectoryHandle | Iterable<File | Entry> | Backups | string;

/** A file by its path, from the top folder on; an empty folder opens to none. One whose `open` fails is unreadable. */
export interface Entry {
    path: string;
    open: (() => Promise<Blob>) | null;
}

/** What a restore is written to: a `WritableStream`, that of a browser or of `node:stream/web`. */
export interface Target {
    readonly locked: boolean;
    abort(reason?: any): Promise<void>;
    getWriter(): { write(piece: Uint8Array): Promise<void>; close(): Promise<void>; abort(reason?: any): Promise<void> };
}

/** How thoroughly to look: what indices name is there; lengths; every byte by its digest; what is inside, too. */
export type Depth = "list" | "size" | "digest" | "deep";

export type Verdict = "sound" | "damaged" | "inconclusive";

/** A key file, as its bytes or as a `Blob`, maybe with its passphrase; or a key that was opened. */
export type KeySource = Blob | Uint8Array | { file: Blob | Uint8Array; passphrase?: string } | Key;

/** An opened key. `secret` is the key itself. */
export interface Key {
    readonly fingerprint: string;
    readonly secret: Uint8Array;
}

interface Common {
    /** The label of the one backup meant, where a source has several. */
    root?: string;
    /** What follows then rejects with the signal's reason, an `AbortError`; what was checked is in the last progress. */
    signal?: AbortSignal;
}

export interface VerifyOptions extends Common {
    /** `digest` unless it is said. */
    depth?: Depth;
    /** The points to look at, as the command takes them behind `@`; all, unless it is said. */
    point?: string;
    /** Each root takes the key that its points name, else the first. */
    keys?: KeySource[];
    /** Warnings count as damage. */
    strict?: boolean;
    /** How many workers: one a core unless it is said, eight at most. */
    workers?: number;
    /** How many of its newest points the report lists for each root; all, unless it is said. Its files always have all. */
    listed?: number;
    /** Hears some ten times a second how far it is, and once more when it ends early. What it throws, the call rejects with. */
    onProgress?: (progress: Progress) => void;
    /** Hears what becomes known of single claims, for who draws it. */
    onNews?: (news: News) => void;
}

export interface Progress {
    /** Bytes that were hashed. */
    done: number;
    /** Bytes that are to be hashed, as far as that is known. */
    expected: number;
    /** `expected` does not grow any more. */
    complete: boolean;
    /** Claims that were judged, and how many of them are damaged or could not be read. */
    settled: number;
    damaged: number;
    unreadable: number;
}

export interface News {
    /** The number of the root, and of the worker. */
    root: number;
    worker: number;
    /** Of each new claim, two numbers: the chain of points it belongs to, and the first point that needs it. */
    claims: Float64Array;
    /** Of each judged claim of this worker, two numbers: its number from 0, and 1 (sound), 2 (damaged) or 3 (unreadable). */
    settled: Uint32Array;
    /** The names of new points, and two numbers of each: its chain, and how long what it restores is. */
    sets: string[];
    spans: Float64Array;
}

export interface Coverage {
    claims: number;
    checked: number;
    unjudged?: number;
    bytes: number;
    marked?: number;
}

export interface Root {
    label: string;
    format: string;
    shards: string[];
    coverage: Coverage;
    proven?: Record<string, number>;
    newest?: string[];
    asked?: Depth;
}

export interface LeftOut {
    total: number;
    told: string[];
}

export interface Point {
    name: string;
    group: number;
    /** `null` where what tells it could not be read. */
    bytes: number | null;
    archives?: string[];
    key?: string;
    left_out?: LeftOut;
}

export interface CheckedPoint extends Point {
    bytes: number;
    root: string;
    ordinal: number;
    verdict: Verdict;
}

export interface Finding {
    /** The stable code, such as `HW103`. */
    code: string;
    root: string;
    name: string;
    severity: "damage" | "inconclusive" | "warning";
    /** The object that shows it; empty when it is the whole root. */
    object: string;
    offset: number | null;
    message: string;
    advice: string;
    /** The first twenty points that it hurts, and how many there are. */
    sets: string[];
    sets_total: number;
}

export type ReportFile = "json" | "junit" | "sarif" | "summary" | "text";

/** What a check came to. Its own properties are those of the command's JSON, in its order: `JSON.stringify(report, null, 2)` gives it. */
export class Report {
    private constructor();
    readonly schema: number;
    readonly verdict: Verdict;
    readonly depth: Depth;
    readonly strict: boolean;
    readonly whole: boolean;
    readonly coverage: Coverage;
    readonly roots: Root[];
    readonly sets: CheckedPoint[];
    readonly tallies: Record<string, number>;
    readonly findings: Finding[];
    readonly lacking: string[];
    readonly removed?: string[];
    /** The verdict in a sentence, with what to do next. */
    get sentence(): string;
    /** How many points a root has, whether all are listed or not. */
    points(root: string): number;
    /** A file of the report, byte for byte as the command writes it. */
    file(kind: ReportFile): Blob;
    /** As the command prints it. */
    text(): Promise<string>;
    /** As the command writes it with `--json`: exact, where a number is too great for JavaScript. */
    json(): Promise<string>;
}

/** The backups in a source. */
export class Backups {
    private constructor();
    readonly roots: readonly { readonly label: string; readonly path: string; readonly format: string; readonly restores: boolean; readonly files: boolean }[];
    /** How many files there are, and how many of them belong to no backup. */
    readonly files: number;
    readonly others: number;
    /** Folders that could not be listed and lie in no backup. */
    readonly unlisted: readonly string[];
}

export interface Listed {
    root: string;
    format: string;
    /** As the indices name them. */
    points: Point[];
    /** What is wrong with the indices. */
    findings: Finding[];
}

export interface RestoreOptions extends Common {
    /** The newest point at or before this one is restored; `point/archive` where a point has archives, `point/path` where it is a tree. */
    point: string;
    keys?: KeySource[];
    onProgress?: (progress: { done: number; expected: number; complete: true }) => void;
}

export interface FilesOptions extends Common {
    /** The newest point at or before this one. */
    point: string;
    keys?: KeySource[];
    /** Those alone whose bytes are in one of these objects, as a finding names one. */
    objects?: string[];
    /** How many are named at most. */
    most?: number;
}

export interface Files {
    /** The path of each, or the key of a bucket, and what its bytes are in. */
    files: { path: string; bytes: number; objects: string[] }[];
    /** How many there are, whether all are named or not. */
    total: number;
}

export interface Restored {
    /** The point that was restored, as `list` names it. */
    point: string;
    bytes: number;
}

/** `option`: it makes no sense, as the message says. `source`: there is no backup in it, or too many. `point`: there is none, or it cannot be restored. */
export type Code = "option" | "source" | "point" | "key" | "passphrase" | "unsupported" | "internal";

export class HighwaterError extends Error {
    private constructor();
    readonly code: Code;
}

/** Checks what is in a source. */
export function verify(source: Source, options?: VerifyOptions): Promise<Report>;

/** Lists the points of each backup in a source, without checking any. */
export function list(source: Source, options?: Common): Promise<Listed[]>;

/** Names the files of a point that is a tree, in the order of their paths. */
export function files(source: Source, options: FilesOptions): Promise<Files>;

/** Finds the backups in a source: what is found is a source, and is not looked for again. */
export function backups(source: Source, options?: { signal?: AbortSignal; onFound?: (files: number) => void }): Promise<Backups>;

/** Restores a point into a stream, which is aborted if it fails: what it got by then is worth nothing. */
export function restore(source: Source, options: RestoreOptions & { to: Target }): Promise<Restored>;

/** Restores a point as a stream. A stream that fails was worth nothing. */
export function restore(source: Source, options: RestoreOptions & { to?: undefined }): Promise<ReadableStream<Uint8Array>>;

/** Opens a key file. */
export function openKey(file: Blob | Uint8Array, passphrase?: string): Promise<Key>;
