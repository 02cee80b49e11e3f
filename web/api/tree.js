// The folders that a program gave, as a tree, and where the links in it lead.

/** Through how many links a name may lead, as in the kernel. */
const LINKS = 40;

/** What entries are to the engine. */
const [FILE, FOLDER, LINK, OTHER] = [0, 1, 2, 3];

/** Most folders have no links. */
const NONE = new Map();

/** A folder: its files with what opens each, its folders, its links with what they hold, and the reasons of what is neither. */
function folder() {
    return { files: new Map(), folders: new Map(), links: NONE, odd: NONE, why: undefined };
}

/** The entries as a tree. */
export async function plant(entries, breathe) {
    const top = folder();
    for (const { path, open, link, why, folder: isFolder } of entries) {
        const parts = path.split("/");
        const name = parts.pop();
        let at = top;
        for (const part of parts) at = below(at, part);
        if (link !== undefined) (at.links = own(at.links)).set(name, link);
        else if (why !== undefined && !isFolder) (at.odd = own(at.odd)).set(name, why);
        else if (open !== null) at.files.set(name, open);
        else if (why === undefined) below(at, name);
        else below(at, name).why = why;
        await breathe();
    }
    return top;
}

const own = (map) => (map === NONE ? new Map() : map);

function below(at, name) {
    if (!at.folders.has(name)) at.folders.set(name, folder());
    return at.folders.get(name);
}

/**
 * Follows a link in `root`, as the command does: one that leaves the root on its way is not followed. Gives the `file`, the path of
 * the `folder`, `why` it is neither, or that it is `out` or leads in a `circle`; nothing where nothing is there.
 */
function follow(root, path) {
    const [inside, ahead] = [[], path.split("/")];
    let followed = 0;
    while (ahead.length > 0) {
        const part = ahead.shift();
        const at = inside.length > 0 ? inside.at(-1)[1] : root;
        if (part === "" || part === ".") continue;
        if (part === "..") {
            if (inside.length === 0) return { out: true };
            inside.pop();
        } else if (at.folders.has(part)) {
            inside.push([part, at.folders.get(part)]);
        } else if (at.links.has(part)) {
            followed += 1;
            const to = at.links.get(part);
            if (followed > LINKS) return { circle: true };
            if (to.startsWith("/")) return { out: true };
            ahead.unshift(...to.split("/"));
        } else if (at.why !== undefined) {
            return { denied: at.why };
        } else {
            return ahead.length > 0 ? {} : { file: at.files.get(part), why: at.odd.get(part) };
        }
    }
    return { folder: inside.map(([name]) => name).join("/") };
}

/**
 * The entries of a root: its own alone, or all that are below it too. `names` are those of all, files first, each folder by one name
 * however many links lead to it; `kinds` has what each is, and `opens` gives the `File` of each file. `odd` are the links to
 * folders, as `{ name, to }`, and what cannot be read, as `{ name, why }`, or `{ name, link, circle }` where that is a link.
 */
export async function entriesOf(root, all, breathe) {
    const [names, opens, others, kinds, odd] = [[], [], [], [], []];
    const waiting = [["", root]];
    const take = (name, kind) => {
        others.push(name);
        kinds.push(kind);
    };
    while (waiting.length > 0) {
        const [before, inside] = waiting.pop();
        if (inside.why !== undefined) odd.push({ name: before.slice(0, -1), why: inside.why });
        for (const [name, open] of inside.files) {
            names.push(before + name);
            opens.push(open);
            await breathe();
        }
        for (const [name, deeper] of inside.folders) {
            take(before + name, FOLDER);
            if (all) waiting.push([`${before}${name}/`, deeper]);
            await breathe();
        }
        for (const [name, why] of inside.odd) {
            take(before + name, OTHER);
            odd.push({ name: before + name, why });
        }
        for (const [part, link] of inside.links) {
            const name = before + part;
            const { file, folder: to, why, denied, out = false, circle = false } = follow(root, name);
            if (file !== undefined) {
                names.push(name);
                opens.push(file);
            } else {
                take(name, to !== undefined ? FOLDER : out || circle || denied ? LINK : OTHER);
                if (to !== undefined) odd.push({ name, to });
                else if (out || circle) odd.push({ name, link, circle });
                else if (why ?? denied) odd.push({ name, why: why ?? denied });
            }
            await breathe();
        }
    }
    return { names: names.concat(others), kinds: Uint8Array.from([...names.map(() => FILE), ...kinds]), opens, odd };
}
