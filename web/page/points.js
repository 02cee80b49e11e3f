// The points in time of each set: to look at one alone, or to restore it.

import { at, make } from "./element.js";
import { bytes, count } from "./words.js";

/** Shows the points of each set. `check` and `restore` get the set and the point's name. */
export function showPoints(roots, outcome, { check, restore }) {
    const shown = roots.flatMap((root) => {
        const found = outcome.roots.find(({ label }) => label === root.label);
        return found && found.points > 0 ? [one(root, found, check, restore)] : [];
    });
    at("timelines").replaceChildren(...shown);
    at("points").hidden = shown.length === 0;
}

function one(root, { points, newest }, check, restore) {
    const menu = make("select", { "aria-label": `Point in time of ${root.label}`, "data-testid": "point" });
    for (const { name, bytes: length, verdict } of newest) {
        menu.append(make("option", { value: name }, `${name} · ${bytes(length)} · ${verdict}`));
    }
    const status = make("p", { role: "status", class: "dim", "data-testid": "restore-status" });
    const say = (words) => {
        status.textContent = words;
    };
    return make(
        "div",
        {},
        make("h3", {}, `${root.label}: ${count(points, "point")}${points > newest.length ? `, the newest ${newest.length} listed` : ""}`),
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
