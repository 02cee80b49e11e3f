// The page: hears what the person does.

import { fromDrop } from "./drop.js";
import { at } from "./element.js";
import { chosen, kinds, language, translate, words } from "./language.js";
import { again, all, cancel, pause, take } from "./run.js";
import { sample } from "./sample.js";
import { tab } from "./tab.js";

translate();
tab("idle");
at("caveats").textContent = kinds().caveats;
// Another language is another page; one that says what it said before is left as it is.
addEventListener("hashchange", () => {
    if (chosen() !== language) location.reload();
});

at("pause").addEventListener("click", pause);
at("cancel").addEventListener("click", cancel);
at("again").addEventListener("click", again);
at("all").addEventListener("click", all);
at("sample").addEventListener("click", () => take(sample()));
for (const id of ["folder", "files"]) {
    at(id).addEventListener("change", () => {
        const list = [...at(id).files];
        at(id).value = "";
        take(list);
    });
}
const told = (found) => {
    at("intake").textContent = words.soFar(found);
};
const over = (yes) => (event) => {
    event.preventDefault();
    at("drop").classList.toggle("over", yes);
};
addEventListener("dragover", over(true));
addEventListener("dragleave", over(false));
addEventListener("drop", (event) => {
    over(false)(event);
    take(fromDrop(event.dataTransfer, told));
});
