// Unpacks what a script carries: texts and the engine, packed together as LZMA has it (lc = 4, lp = 0, pb = 0, no header), in a
// string of 79 bits in five characters. It stands before that string and is no module.

/** What the builder packed: how long each part is, in bytes, one after another. Parts are taken in their order. */
const packed = (text, lengths) => {
    const bytes = unfolded(text);
    const out = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
    // Where each kind of decision keeps its odds, in 2048ths.
    const [MATCH, REP, REP0, REP1, REP2, SHORT, SLOT, FAR, ALIGN, LENGTH, AGAIN, LITERAL] = [0, 12, 24, 36, 48, 60, 72, 328, 456, 472, 746, 1020];
    const odds = new Uint16Array(LITERAL + 16 * 768).fill(1024);
    let [at, next, range, state, reps] = [0, 5, 0xffffffff, 0, [0, 0, 0, 0]];
    let code = new DataView(bytes.buffer).getUint32(1);
    const widen = () => {
        if (range >= 0x1000000) return;
        range = (range << 8) >>> 0;
        code = ((code << 8) | bytes[next]) >>> 0;
        next += 1;
    };
    const bit = (index) => {
        const odd = odds[index];
        const bound = (range >>> 11) * odd;
        const one = code >= bound;
        if (one) {
            range -= bound;
            code -= bound;
            odds[index] = odd - (odd >> 5);
        } else {
            range = bound;
            odds[index] = odd + ((2048 - odd) >> 5);
        }
        widen();
        return one ? 1 : 0;
    };
    const tree = (base, bits) => {
        let node = 1;
        for (let i = 0; i < bits; i += 1) node = (node << 1) | bit(base + node);
        return node - (1 << bits);
    };
    const reverse = (base, bits) => {
        let [node, value] = [1, 0];
        for (let i = 0; i < bits; i += 1) {
            const one = bit(base + node);
            node = (node << 1) | one;
            value |= one << i;
        }
        return value;
    };
    const direct = (bits) => {
        let value = 0;
        for (let i = 0; i < bits; i += 1) {
            range >>>= 1;
            const one = code >= range ? 1 : 0;
            if (one) code -= range;
            value = (value << 1) | one;
            widen();
        }
        return value;
    };
    const length = (base) => {
        if (!bit(base)) return 2 + tree(base + 2, 3);
        return bit(base + 1) ? 18 + tree(base + 18, 8) : 10 + tree(base + 10, 3);
    };
    const distance = (long) => {
        const slot = tree(SLOT + Math.min(long - 2, 3) * 64, 6);
        if (slot < 4) return slot;
        const bits = (slot >> 1) - 1;
        const far = (2 | (slot & 1)) << bits;
        if (slot < 14) return far + reverse(FAR + far - slot, bits);
        return far + (direct(bits - 4) << 4) + reverse(ALIGN, 4);
    };
    const literal = () => {
        const base = LITERAL + 768 * (at > 0 ? out[at - 1] >> 4 : 0);
        let node = 1;
        if (state >= 7) {
            let before = out[at - reps[0] - 1];
            while (node < 256) {
                const expected = before >> 7;
                before = (before << 1) & 255;
                const one = bit(base + ((1 + expected) << 8) + node);
                node = (node << 1) | one;
                if (one !== expected) break;
            }
        }
        while (node < 256) node = (node << 1) | bit(base + node);
        out[at] = node;
        at += 1;
        state = state < 4 ? 0 : state - (state < 10 ? 3 : 6);
    };
    const copy = (long) => {
        for (const end = Math.min(at + long, out.length); at < end; at += 1) out[at] = out[at - reps[0] - 1];
    };
    const repeat = () => {
        if (!bit(REP0 + state)) {
            if (!bit(SHORT + state)) {
                state = state < 7 ? 9 : 11;
                return 1;
            }
        } else {
            const which = bit(REP1 + state) ? 2 + bit(REP2 + state) : 1;
            reps.unshift(...reps.splice(which, 1));
        }
        const long = length(AGAIN);
        state = state < 7 ? 8 : 11;
        return long;
    };
    const step = () => {
        if (!bit(MATCH + state)) literal();
        else if (bit(REP + state)) copy(repeat());
        else {
            const long = length(LENGTH);
            reps = [distance(long), reps[0], reps[1], reps[2]];
            state = state < 7 ? 7 : 10;
            copy(long);
        }
    };
    let given = 0;
    return {
        /** Goes on up to the end of the next part, for so many bytes at most. Whether it is there. */
        unpack(most = Infinity) {
            const end = Math.min(given + lengths[0], at + most);
            while (at < end) step();
            return at >= given + lengths[0];
        },
        /** The next part, once it was unpacked. */
        take() {
            const from = given;
            given += lengths.shift();
            return out.subarray(from, given);
        },
    };
};

/** The bytes of a text: 24 bits from the blocks of five characters, the first the lowest digit, and then eleven of each. */
function unfolded(text) {
    const bytes = new Uint8Array(text.length * 2);
    let [held, bits, at] = [0, 0, 0];
    const put = (value, count) => {
        held = (held << count) | value;
        bits += count;
        while (bits >= 8) {
            bits -= 8;
            bytes[at] = held >> bits;
            at += 1;
        }
        held &= (1 << bits) - 1;
    };
    // The first block is left out, and the surrogates.
    const digit = (block) => (block > 27 ? block - 2 : block - 1);
    for (let first = 0; first < text.length; first += 5) {
        const five = [0, 1, 2, 3, 4].map((place) => text.charCodeAt(first + place));
        put(five.reduceRight((sum, character) => sum * 30 + digit(character >> 11), 0), 24);
        for (const character of five) put(character & 2047, 11);
    }
    return bytes;
}
