/* Sorts a table by the heading that is clicked: up, down, and back to the documents' order. Totals stay at the foot. */
(function () {
  "use strict";
  var table = document.querySelector("table");
  if (!table) { return; }
  var body = table.tBodies[0];
  var given = Array.prototype.slice.call(body.rows);
  var heads = Array.prototype.slice.call(table.tHead.rows[0].cells);
  var next = { none: "ascending", ascending: "descending", descending: "none" };

  function compared(a, b, column, figures, sign) {
    var one = a.cells[column].dataset.sort, other = b.cells[column].dataset.sort;
    if (one === "" || other === "") { return (one === "") - (other === ""); }  // what is absent comes last, either way
    return sign * (figures ? one - other : one.localeCompare(other, document.documentElement.lang));
  }

  heads.forEach(function (head, column) {
    head.querySelector("button").addEventListener("click", function () {
      var way = next[head.getAttribute("aria-sort") || "none"];
      heads.forEach(function (each) { each.removeAttribute("aria-sort"); each.querySelector("i").textContent = ""; });
      var rows = given.slice();
      if (way !== "none") {
        head.setAttribute("aria-sort", way);
        head.querySelector("i").textContent = way === "ascending" ? "↑" : "↓";
        var figures = head.classList.contains("figure"), sign = way === "ascending" ? 1 : -1;
        rows.sort(function (a, b) { return compared(a, b, column, figures, sign); });
      }
      rows.forEach(function (row) { body.appendChild(row); });
    });
  });
})();
