// What is loaded once for all who ask for it.

/** What gives what `load` gives, which is called once, and anew after it failed. */
export function once(load) {
    let loaded = null;
    return () => {
        loaded ??= load().catch((error) => {
            loaded = null;
            throw error;
        });
        return loaded;
    };
}
