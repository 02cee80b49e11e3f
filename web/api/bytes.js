// Names that are no UTF-8, as texts: each of their bytes past ASCII is a lone surrogate, which no other text has.

/** Half of a character that has no other half. */
const LONE = /\p{Surrogate}/u;

/** What a lone surrogate adds to its byte. */
const SURROGATE = 0xdc00;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text that stands for a name of bytes. */
export function textOf(bytes) {
    try {
        return decoder.decode(bytes);
    } catch {
        return Array.from(bytes, (byte) => String.fromCharCode(byte < 128 ? byte : SURROGATE + byte)).join("");
    }
}

/** Whether a text stands for bytes that are no UTF-8. */
export function isRaw(text) {
    return LONE.test(text);
}

/** The bytes that a text stands for. */
export function bytesOf(text) {
    const parts = [...text].map((character) => {
        return LONE.test(character) ? [character.charCodeAt(0) - SURROGATE] : [...new TextEncoder().encode(character)];
    });
    return Uint8Array.from(parts.flat());
}

/** A text to be read: its bytes that are no UTF-8 as the command shows them. */
export function shown(text) {
    return isRaw(text) ? text.replace(/\p{Surrogate}/gu, (one) => `\\x${(one.charCodeAt(0) - SURROGATE).toString(16)}`) : text;
}
