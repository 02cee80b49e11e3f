// The engine's news in a form that goes to the page without being copied.

/** Plain arrays out of an `Updates`, which is freed; `transfer` lists what may be handed over. */
export function updates(news) {
    const { claims, settled, sets, spans, progress, more } = news;
    news.free();
    return { claims, settled, sets, spans, progress, more, transfer: [claims.buffer, settled.buffer, spans.buffer] };
}
