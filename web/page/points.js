// The points in time of each set: to look at one alone, or to restore it.

import { at, make } from "./element.js";
import { bytes, count } from "./words.js";

/** Points that a menu lists; any other is typed. */
const LISTED = 400;

/** Shows the points of each set of a report. `check` and `restore` get the set and the point's name. */
export function showPoints(roots, report, { check, restore }) {
    const { sets } = JSON.parse(report.json());
    const places = roots.map((root) => {
        const points = sets.filter((set) => set.root === root.label).reverse();
        return points.length > 0 ? one(root, points, check, restore) : null;
    });
    const shown = places.filter((place) => place !== null);
    at("timelines").replaceChildren(...shown);
    at("points").hidden = shown.length === 0;
}

function one(root, points, check, restore) {
    const menu = make("select", { "aria-label": `Point in time of ${root.label}`, "data-testid": "point" });
    for (const { name, bytes: length, verdict } of points.slice(0, LISTED)) {
        menu.append(make("option", { value: name }, `${name} · ${bytes(length)} · ${verdict}`));
    }
    const status = make("p", { role: "status", class: "dim", "data-testid": "restore-status" });
    const say = (words) => {
        status.textContent = words;
    };
    return make(
        "div",
        {},
        make("h3", {}, `${root.label}: ${count(points.length, "point")}${points.length > LISTED ? `, the newest ${LISTED} listed` : ""}`),
        make(
            "div",
            { class: "point" },
            menu,
            make("button", { type: "button", class: "quiet", "data-testid": "check-point", click: () => check(root, menu.value) }, "Check this point"),
            make("button", { type: "button", "data-testid": "restore", click: () => restore(root, menu.value, say) }, "Restore it to a file"),
        ),
        status,
    );
}
