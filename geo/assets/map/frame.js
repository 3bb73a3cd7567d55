/*
 * A map in a page's frame: it waits for what its page tells, draws it in place, and tells back what a planner does.
 * Only the page that holds the frame is listened to. What comes: { jinyi: "plate", sheet, mode, withdrawn, at, settled }.
 */
function attendPage(map, tiles) {
  "use strict";

  var home = map.getContainer(), pill = document.getElementById("mode"), said = {};
  var page = {
    mode: "look", withdrawn: false, at: null, on: null, tiles: tiles || null, carried: false,
    tell: function (event) { send("event", { event: event }); },
    moved: function (at, on) { page.on = on; send("moved", { at: at, on: on }); }
  };

  function send(about, more) {
    window.parent.postMessage(L.extend({ jinyi: "plate", about: about }, more), "*");
  }

  function put(sheet) {
    var data = JSON.parse(sheet.payload), notes = document.getElementById("margin"), scrolled = notes ? notes.scrollTop : 0;
    var fresh = new DOMParser().parseFromString(sheet.margin, "text/html");
    document.getElementById("words").replaceChildren.apply(document.getElementById("words"), [].slice.call(fresh.body.childNodes));
    document.getElementById("margin").scrollTop = scrolled;
    document.title = sheet.title;
    home.setAttribute("aria-label", sheet.title);
    said = data.words;
    drawPlan(map, data, page);
  }

  function attend() {
    var words = page.withdrawn ? said.withdrawn : said["mode_" + page.mode];
    home.dataset.mode = page.withdrawn ? "look" : page.mode;
    document.body.classList.toggle("withdrawn", page.withdrawn);
    pill.hidden = !words;
    pill.textContent = words || "";
    if (map.modeChanged) { map.modeChanged(); }
  }

  window.addEventListener("message", function (event) {
    var told = event.data;
    if (event.source !== window.parent || !told || told.jinyi !== "plate") { return; }
    if ("on" in told && !page.on) { page.on = told.on; }
    if ("at" in told) {
      page.at = told.at;
      if (map.goTo && !told.sheet) { map.goTo(told.at); }
    }
    var changed = ("mode" in told && told.mode !== page.mode) || ("withdrawn" in told && told.withdrawn !== page.withdrawn);
    if ("mode" in told) { page.mode = told.mode; }
    if ("withdrawn" in told) { page.withdrawn = told.withdrawn; }
    if (told.settled && map.dropped) { map.dropped(); }
    if (told.sheet) { put(told.sheet); }
    if (changed || told.sheet) { attend(); }
  });
  send("ready", {});
}
