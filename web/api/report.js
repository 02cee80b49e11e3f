// What a check came to.

/**
 * A report: its own properties are those that the command writes as JSON, in its order, so that `JSON.stringify` gives the same.
 * Beside them stand its `sentence`, and its files as the command writes them.
 */
export class Report {
    #outcome;

    constructor(outcome) {
        Object.assign(this, outcome.report);
        this.#outcome = outcome;
    }

    /** The verdict in a sentence, with what to do next. */
    get sentence() {
        return this.#outcome.sentence;
    }

    /** How many points a root has, whether all are listed or not. */
    points(root) {
        return this.#outcome.counts.find((count) => count.root === root)?.points ?? 0;
    }

    /** A file of the report, byte for byte as the command writes it: `json`, `junit`, `sarif`, `summary` or `text`. */
    file(kind) {
        const found = this.#outcome.files.find(([name]) => name === kind);
        if (found === undefined) throw new RangeError(`a report has no file '${kind}'`);
        return found[1];
    }

    /** As `highwater verify` prints it. */
    text() {
        return this.file("text").text();
    }

    /** As `highwater verify --json` writes it: exact, whatever the numbers. */
    json() {
        return this.file("json").text();
    }
}
