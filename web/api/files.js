// Names the files of a point that is a tree, by path, or the keys of a bucket.

import { HighwaterError } from "./failure.js";
import { tell } from "./feed.js";
import { choose, openKeys } from "./keys.js";
import { find, pickOne } from "./roots.js";

/** The files of a `point`, `{ path, bytes, objects }` each, `most` of them at most, and how many there are. With `objects`, those in them. */
export async function filesOf(crew, source, { point, root, keys, objects, most, signal } = {}) {
    if (typeof point !== "string" || point === "") throw new HighwaterError("option", "say of which point; `list` names them");
    const one = pickOne(await find(crew, source, { signal }), root);
    const key = await choose(crew, one, await openKeys(crew, keys, signal), signal);
    const options = { verb: "files", format: one.format, label: one.label, point, key, objects, most, near: crew.engine.near };
    return crew.file((post) => tell(post, one, { what: "go", options }), { root: one, signal });
}
