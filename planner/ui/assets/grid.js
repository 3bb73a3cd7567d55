/*
 * A table whose cells can be chosen and whose headings sort: up, down, and back to the order it came in. What is drawn
 * comes escaped from the server; the table is drawn anew only where it changed, so that it keeps its place.
 */
const WAIT = 6000, TRIES = 3;  // ms; a rerun must have time to end before it is told again
const NEXT = { none: "ascending", ascending: "descending", descending: "none" };

function compared(a, b, column, figures, sign) {
  const one = a.cells[column].dataset.value, other = b.cells[column].dataset.value;
  if (one === "" || other === "") { return (one === "") - (other === ""); }  // what is absent comes last, either way
  return sign * (figures ? one - other : one.localeCompare(other));
}

function sorted(box, button) {
  const head = button.closest("th"), table = button.closest("table"), body = table.tBodies[0];
  const way = NEXT[head.getAttribute("aria-sort") || "none"];
  box.given = box.given || Array.from(body.rows);
  table.querySelectorAll("th").forEach((each) => each.removeAttribute("aria-sort"));
  const rows = box.given.slice();
  if (way !== "none") {
    head.setAttribute("aria-sort", way);
    const column = head.cellIndex, figures = button.dataset.sort === "figure", sign = way === "ascending" ? 1 : -1;
    rows.sort((a, b) => compared(a, b, column, figures, sign));
  }
  rows.forEach((row) => body.appendChild(row));
}

/* Told again until the page's script has heard it: Streamlit may drop what comes right behind another event. */
function send(box, tries) {
  clearTimeout(box.again);
  if (!box.pending) { return; }
  box.tell("picked", box.pending);
  if (tries > 1) { box.again = setTimeout(() => send(box, tries - 1), WAIT); }
}

function clicked(box, event) {
  const chosen = event.target.closest("[data-pick]"), heading = event.target.closest("[data-sort]");
  if (chosen) {
    box.pending = { id: chosen.dataset.pick, n: Date.now() };  // the same twice is two
    send(box, TRIES);
  }
  if (heading) { sorted(box, heading); }
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  let box = parentElement.querySelector(".grid");
  if (!box) {
    box = document.createElement("div");
    box.className = "grid";
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.addEventListener("click", (event) => clicked(box, event));
    parentElement.appendChild(box);
  }
  box.setAttribute("aria-label", data.label);
  if (box.drawn !== data.body) {
    const at = [box.scrollTop, box.scrollLeft];
    box.innerHTML = data.body;
    box.drawn = data.body;
    box.given = null;
    [box.scrollTop, box.scrollLeft] = at;
  }
  if (box.pending && data.told >= box.pending.n) { box.pending = null; }
  box.tell = setTriggerValue;  // of the newest run; what an older one leaves behind must not take it away
}
