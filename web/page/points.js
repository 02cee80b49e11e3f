// The points in time of each set: to look at one alone, or to restore it.

import { at, make } from "./element.js";
import { bytes, count } from "./words.js";

/** What a point without archives is restored to. */
const FILE = "Data.fs";

/** Shows the points of each set. `check` gets the set and the point's name; `restore`, of what to restore, `{ point, file }`. */
export function showPoints(roots, report, { check, restore }) {
    const shown = roots.flatMap((root) => {
        const newest = report.sets.filter((set) => set.root === root.label).reverse();
        return newest.length > 0 ? [one(root, { points: report.points(root.label), newest }, check, restore)] : [];
    });
    at("timelines").replaceChildren(...shown);
    at("points").hidden = shown.length === 0;
}

function one(root, { points, newest }, check, restore) {
    const menu = make("select", { "aria-label": `Point in time of ${root.label}`, "data-testid": "point" });
    for (const { name, bytes: length, verdict } of newest) {
        menu.append(make("option", { value: name }, `${name} · ${bytes(length)} · ${verdict}`));
    }
    // Where a point holds several archives, one of them is restored.
    const archives = make("select", { "aria-label": `Archive of ${root.label}`, "data-testid": "archive" });
    const offer = () => {
        const { archives: names = [] } = newest.find(({ name }) => name === menu.value);
        archives.replaceChildren(...names.map((name) => make("option", { value: name }, name)));
        archives.hidden = names.length === 0;
    };
    menu.addEventListener("change", offer);
    offer();
    const what = () => {
        const [point, archive] = [menu.value, archives.value];
        return archive === "" ? { point, file: FILE } : { point: `${point}/${archive}`, file: archive };
    };
    const status = make("p", { role: "status", class: "dim", "data-testid": "restore-status" });
    const say = (words) => {
        status.textContent = words;
    };
    // What is used as it lies is not restored.
    const restoring = root.restores ? [archives, make("button", { type: "button", "data-testid": "restore", click: () => restore(root, what(), say) }, "Restore it to a file")] : [];
    return make(
        "div",
        {},
        make("h3", {}, `${root.label}: ${count(points, "point")}${points > newest.length ? `, the newest ${newest.length} listed` : ""}`),
        make(
            "div",
            { class: "point" },
            menu,
            make("button", { type: "button", class: "quiet", "data-testid": "check-point", click: () => check(root, menu.value) }, "Check this point"),
            ...restoring,
        ),
        status,
    );
}
