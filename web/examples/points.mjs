// Names the points in time in a folder: node points.mjs FOLDER

import { list } from "highwater";

for (const { root, format, points } of await list(process.argv[2])) {
    console.log(`${root} (${format})`);
    for (const { name, bytes } of points) console.log(`  ${name}  ${bytes === null ? "unread" : `${bytes} bytes`}`);
}
