// Who listens to a call is a program's function, which may fail, at once or later: then the call fails with that.

/** A listener, or none. */
export class Ear {
    constructor(listener) {
        this.listener = listener;
        this.failed = false;
    }

    /** Tells it; the promise fails as the listener does. */
    tell(said) {
        const heard = new Promise((give) => {
            give(this.listener?.(said));
        });
        heard.catch((error) => {
            [this.failed, this.error] = [true, error];
        });
        return heard;
    }

    /** Fails as the listener did. */
    expect() {
        if (this.failed) throw this.error;
    }
}
