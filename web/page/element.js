// Building the page out of data. Text is always text: a name may come from somebody hostile.

/** The element of the page with this id. */
export function at(id) {
    return document.getElementById(id);
}

/** A new element: `make("p", { class: "note" }, "some ", make("b", {}, "text"))`. */
export function make(name, attributes = {}, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
        if (typeof value === "function") element.addEventListener(key, value);
        else if (value !== false && value !== undefined) element.setAttribute(key, value === true ? "" : value);
    }
    element.append(...children);
    return element;
}
