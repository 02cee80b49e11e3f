// Lists the points in time of backups, as their indices name them.

import { look } from "./keys.js";
import { find, pick } from "./roots.js";

/** The points of each root in a source, oldest first, with what is wrong with its indices. */
export async function catalogue(crew, source, { root, signal } = {}) {
    const roots = pick(await find(crew, source, { signal }), root);
    const listed = [];
    for (const one of roots) {
        const { points, findings } = await look(crew, one, signal);
        listed.push({ root: one.label, format: one.format, points, findings });
    }
    return listed;
}
