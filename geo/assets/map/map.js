/*
 * Draws one plan on a Leaflet map: fills, lines, circles, symbols, names, and what a pointer asks about them.
 * Text from data enters the page by textContent alone, so a name can never become markup. Coordinates arrive as
 * whole steps of data.grid degrees, each ring as differences.
 */
function drawPlan(map, data) {
  "use strict";

  var theme = data.theme;
  var said = data.words;
  var shown = {};
  var home = map.getContainer();
  data.zoom = map.getZoom();

  var zoom = L.control.zoom({ position: "topleft", zoomInTitle: said.zoom_in, zoomOutTitle: said.zoom_out }).addTo(map);
  L.control.scale({ position: "topleft", imperial: false, maxWidth: 100 }).addTo(map);

  /* ---- geometry ---- */

  function rings(shape) {
    return shape.map(function (polygon) {
      return polygon.map(function (steps) {
        var x = 0, y = 0, ring = [];
        for (var i = 0; i < steps.length; i += 2) {
          x += steps[i];
          y += steps[i + 1];
          ring.push([y * data.grid, x * data.grid]);
        }
        return ring;
      });
    });
  }

  function inside(ring, lat, lng) {
    var odd = false;
    for (var i = 0, j = ring.length - 1; i < ring.length; j = i++) {
      if (ring[i][0] > lat !== ring[j][0] > lat &&
          lng < (ring[j][1] - ring[i][1]) * (lat - ring[i][0]) / (ring[j][0] - ring[i][0]) + ring[i][1]) {
        odd = !odd;
      }
    }
    return odd;
  }

  function holds(place, at) {
    return place.bounds.contains(at) && place.rings.some(function (polygon) {
      return polygon.reduce(function (odd, ring) { return inside(ring, at.lat, at.lng) ? !odd : odd; }, false);
    });
  }

  function ready(place) {
    place.rings = rings(place.shape);
    place.bounds = L.latLngBounds([].concat.apply([], place.rings.map(function (polygon) { return polygon[0]; })));
    return place;
  }

  data.uncovered = data.uncovered.map(function (row) {
    return { lon: row[0], lat: row[1], persons: row[2], place: row[3], county: row[4], setting: row[5], km: row[6], station: row[7] };
  });
  data.counties.forEach(ready);
  data.cities.forEach(ready);

  /* ---- panes, each with its own canvas: later ones lie above ---- */

  var canvas = {};
  ["land", "fill", "reach", "lines", "people", "symbols", "centres", "marked", "names"].forEach(function (name, i) {
    map.createPane(name).style.zIndex = 410 + i;
    map.getPane(name).style.pointerEvents = "none";
    if (name !== "names") {
      canvas[name] = L.canvas({ pane: name, padding: 0.3 });
    }
  });

  function area(pane, shape, options) {
    return L.polygon(shape, L.extend({
      renderer: canvas[pane], pane: pane, interactive: false, stroke: false, fillOpacity: 1, smoothFactor: 0.5
    }, options));
  }

  function outline(pane, shape, colour, weight, options) {
    return area(pane, shape, L.extend({ stroke: true, fill: false, color: colour, weight: weight, opacity: 1, lineJoin: "round" }, options));
  }

  var province = rings(data.province);
  var extent = L.latLngBounds([].concat.apply([], province.map(function (polygon) { return polygon[0]; })));
  outline("land", province, theme.vignette[0], 11).addTo(map);
  outline("land", province, theme.vignette[1], 5).addTo(map);
  area("land", province, { fillColor: theme.land }).addTo(map);

  /* ---- base themes: one fill at a time ---- */

  function countyFills(key) {
    return L.layerGroup(data.counties.map(function (county) {
      var colour = data.fills[key][county.fill[key]] || theme.no_data;
      return area("fill", county.rings, { fillColor: colour, stroke: true, color: colour, weight: 0.7 });
    }));
  }

  var countyLines = data.counties.map(function (county) { return outline("lines", county.rings, theme.line_county, theme.width.county); });
  L.layerGroup(countyLines.concat(data.cities.map(function (city) {
    return outline("lines", city.rings, theme.line_city, theme.width.city);
  }), [outline("lines", province, theme.line_city, theme.width.province)])).addTo(map);

  var layers = { none: L.layerGroup() };
  Object.keys(data.fills).forEach(function (key) { layers[key] = countyFills(key); });

  /* ---- symbols: told apart by shape ---- */

  var SHAPES = {
    circle: function (ctx, p, r) { ctx.arc(p.x, p.y, r, 0, 2 * Math.PI); },
    triangle: function (ctx, p, r) { regular(ctx, p, r * 1.22, 3, -Math.PI / 2); },
    square: function (ctx, p, r) { regular(ctx, p, r * 1.2, 4, -Math.PI / 4); },
    star: function (ctx, p, r) {
      for (var i = 0; i < 10; i++) {
        var reach = i % 2 ? r * 0.62 : r * 1.4, turn = -Math.PI / 2 + i * Math.PI / 5;
        ctx[i ? "lineTo" : "moveTo"](p.x + reach * Math.cos(turn), p.y + reach * Math.sin(turn));
      }
      ctx.closePath();
    }
  };

  function regular(ctx, p, r, n, turn) {
    for (var i = 0; i < n; i++) {
      var at = turn + i * 2 * Math.PI / n;
      ctx[i ? "lineTo" : "moveTo"](p.x + r * Math.cos(at), p.y + r * Math.sin(at));
    }
    ctx.closePath();
  }

  var Sign = L.CircleMarker.extend({
    options: { interactive: false, shape: "circle", casing: 0, number: "" },
    _project: function () {
      this._radius = this.options.radius * grown();
      L.CircleMarker.prototype._project.call(this);
    },
    _updatePath: function () {
      var renderer = this._renderer, ctx = renderer._ctx, o = this.options;
      if (!renderer._drawing || this._empty()) { return; }
      ctx.beginPath();
      SHAPES[o.shape](ctx, this._point, this._radius);
      if (o.casing) {
        ctx.globalAlpha = 1;
        ctx.lineWidth = o.casing * 2;
        ctx.lineJoin = "round";
        ctx.strokeStyle = theme.paper;
        ctx.stroke();
      }
      renderer._fillStroke(ctx, this);
      if (o.number && this._radius >= 7) {
        ctx.font = "600 " + Math.min(12, Math.round(this._radius * 1.05)) + "px " + theme.font;
        ctx.textAlign = "center";
        ctx.textBaseline = "middle";
        ctx.globalAlpha = 1;
        ctx.fillStyle = o.ink;
        ctx.fillText(o.number, this._point.x, this._point.y + (o.shape === "triangle" ? this._radius * 0.16 : 0.5));
      }
    }
  });

  function grown() {
    return Math.max(0.9, Math.min(2, Math.pow(1.26, map.getZoom() - data.zoom)));
  }

  function symbol(pane, at, options) {
    return new Sign([at.lat, at.lon], L.extend({ renderer: canvas[pane], pane: pane, fillOpacity: 1 }, options));
  }

  function station(at, radius, number) {
    var style = theme.station[at.status], hollow = style.fill === theme.paper;
    return symbol("symbols", at, {
      shape: style.shape, radius: hollow ? radius : radius + 0.4, fillColor: style.fill, color: style.line, weight: hollow ? 1.3 : 0.9,
      number: number, ink: style.line
    });
  }

  /* Larger symbols first, so that a small one is never buried. */
  function byVehicles() {
    return data.stations.slice().sort(function (a, b) { return b.ambulances - a.ambulances; }).map(function (at) {
      return station(at, theme.vehicle_radius * Math.sqrt(at.ambulances) + 1.6, String(at.ambulances));
    });
  }

  layers.stations = L.layerGroup(data.stations.map(function (at) { return station(at, 3.1, ""); }));
  layers.ambulances = L.layerGroup(byVehicles());
  layers.uncovered = L.layerGroup(data.uncovered.map(function (at) {
    return symbol("people", at, {
      radius: Math.min(theme.people_most, theme.people_radius * Math.sqrt(at.persons)), fillColor: theme.alarm, fillOpacity: 0.75, color: theme.paper,
      weight: 0.5
    });
  }));
  var centreSymbols = data.centres.map(function (at) {
    var shape = theme.centre[at.level];
    return symbol("centres", at, {
      shape: shape, radius: shape === "star" ? 8 : 6, fillColor: theme.ink, color: theme.paper, weight: 1, casing: 2
    });
  });
  if (layers.centres) {
    data.catchments.forEach(function (catchment) {
      layers.centres.addLayer(outline("lines", rings(catchment.shape), theme.ink, theme.width.catchment));
    });
    centreSymbols.forEach(function (mark) { layers.centres.addLayer(mark); });
  }

  /* ---- reach: the union of all circles, not four hundred of them ---- */

  var reach = ["rural", "urban"].map(function (setting) {
    return area("reach", rings(data.reach[setting]), {
      fillColor: theme.accent, stroke: true, color: theme.accent, weight: theme.width.circle, smoothFactor: 0
    });
  });
  layers.circles = L.layerGroup(reach);

  /* Over a fill the reach is its outline alone, and county lines darken so that they part pale classes too. */
  function restyle() {
    var plain = shown.none;
    countyLines.forEach(function (line) { line.setStyle({ color: plain ? theme.line_county : theme.line_on_fill }); });
    reach.forEach(function (union, i) {
      union.setStyle({ fillOpacity: plain ? theme.reach[i ? "urban" : "rural"] : 0, weight: theme.width.circle * (plain ? 1 : 1.6) });
    });
  }

  /* ---- names: centres, then cities, then counties; one that would touch another waits for a nearer zoom ---- */

  var names = [];

  function name(kind, place, lines, key) {
    var element = document.createElement("span");
    element.className = "name " + kind;
    lines.forEach(function (line, i) {
      var part = i ? element.appendChild(document.createElement("small")) : element;
      part.appendChild(document.createTextNode(line));
    });
    if (kind === "city") { element.dataset.city = key; }
    var marker = L.marker([place.lat, place.lon], {
      pane: "names", interactive: false, keyboard: false, icon: L.divIcon({ className: "", iconSize: [0, 0], html: element })
    }).addTo(map);
    names.push({ kind: kind, marker: marker, element: element, place: place });
  }

  data.centres.forEach(function (centre) { name("centre", centre, [centre.name, said["level_" + centre.level]]); });
  data.cities.forEach(function (city, i) { 
    var doubled = data.centres.some(function (centre) { return centre.code === city.code && centre.name === city.name; });
    name("city", { lat: city.anchor[0], lon: city.anchor[1], doubled: doubled }, [city.name], i);
  });
  data.counties.forEach(function (county) {
    name("county", { lat: county.anchor[0], lon: county.anchor[1], metres: county.metres }, [county.name]);
  });

  function pixels(metres, lat) {
    return metres / (40075016.686 * Math.cos(lat * Math.PI / 180) / (256 * Math.pow(2, map.getZoom())));
  }

  /* Where a name may stand, seen from its place: [right, down] in pixels, the nearest first. */
  var SPOTS = {
    city: [[0, 0], [0, -12], [0, 12], [-14, 0], [14, 0], [0, -20], [0, 20], [-22, -10], [22, -10], [-22, 10], [22, 10], [0, -32], [0, 32]],
    county: [[0, 0], [0, -10], [0, 10], [-9, 0], [9, 0], [-9, -10], [9, -10], [-9, 10], [9, 10]]
  };

  function spots(entry, h) {
    if (entry.kind === "centre") { return [[0, h / 2 + 13], [0, -h / 2 - 13]]; }
    if (entry.kind === "city") { return SPOTS.city; }
    var room = pixels(entry.place.metres, entry.place.lat);
    return SPOTS.county.filter(function (spot) { return Math.hypot(spot[0], spot[1]) <= room * 0.7; });
  }

  function placeNames() {
    var taken = [], signs = [];
    [[data.stations, shown.stations || shown.ambulances], [data.centres, shown.centres]].forEach(function (set) {
      if (set[1]) { set[0].forEach(function (at) { signs.push(map.latLngToLayerPoint([at.lat, at.lon])); }); }
    });
    names.forEach(function (entry) {
      var element = entry.element;
      element.hidden = entry.kind === "centre" ? !shown.centres : shown.centres && entry.place.doubled;
      if (element.hidden) { return; }
      var w = element.offsetWidth, h = element.offsetHeight;
      if (entry.kind === "county" && w > 1.75 * pixels(entry.place.metres, entry.place.lat)) {
        element.hidden = true;
        return;
      }
      var at = map.latLngToLayerPoint([entry.place.lat, entry.place.lon]);
      var around = signs.filter(function (p) { return Math.abs(p.x - at.x) < w + 30 && Math.abs(p.y - at.y) < h + 40; });
      var best = null, least = Infinity;
      spots(entry, h).forEach(function (spot) {
        var x = at.x + spot[0], y = at.y + spot[1];
        var touching = taken.some(function (box) {
          return Math.abs(box.x - x) < (box.w + w) / 2 + 5 && Math.abs(box.y - y) < (box.h + h) / 2 + 2;
        });
        var under = around.filter(function (p) { return Math.abs(p.x - x) < w / 2 + 3 && Math.abs(p.y - y) < h / 2 + 2; }).length;
        var cost = (touching ? 1000 : 0) + under * 12 + Math.hypot(spot[0], spot[1]);
        if (cost < least) {
          least = cost;
          best = spot;
        }
      });
      if (entry.kind === "county" && (!best || least >= 1000)) {
        element.hidden = true;
        return;
      }
      element.style.left = best[0] + "px";
      element.style.top = best[1] + "px";
      taken.push({ x: at.x + best[0], y: at.y + best[1], w: w, h: h });
    });
  }

  /* ---- what lies under the pointer ---- */

  function near(list, at, radius) {
    var best = null, least = Infinity;
    list.forEach(function (item) {
      var p = map.latLngToContainerPoint([item.lat, item.lon]);
      var gap = Math.max(0, Math.hypot(p.x - at.x, p.y - at.y) - radius(item));
      var tie = Math.hypot(p.x - at.x, p.y - at.y);
      if (gap <= 4 && gap * 100 + tie < least) {
        least = gap * 100 + tie;
        best = item;
      }
    });
    return best;
  }

  function found(event) {
    var at = event.containerPoint, grow = grown(), hit;
    if (shown.centres && (hit = near(data.centres, at, function () { return 8 * grow; }))) { return ["centre", hit]; }
    if (shown.ambulances &&
        (hit = near(data.stations, at, function (s) { return theme.vehicle_radius * Math.sqrt(s.ambulances) * grow; }))) {
      return ["station", hit];
    }
    if (shown.stations && (hit = near(data.stations, at, function () { return 4 * grow; }))) { return ["station", hit]; }
    if (shown.uncovered && (hit = near(data.uncovered, at, function () { return 2; }))) { return ["people", hit]; }
    hit = data.counties.filter(function (county) { return holds(county, event.latlng); })[0];
    return hit ? ["county", hit] : null;
  }

  function thousands(value) {
    return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
  }

  /* Facts of a thing: its name, the line below it, and rows of [label, figure, nature]. */
  function facts(kind, item) {
    if (kind === "people") {
      var rows = [
        [said.people_uncovered, thousands(item.persons), "modelled"],
        [said.people_km, item.km === null ? "—" : item.km.toFixed(1), "", "alarm"]
      ];
      if (item.station !== undefined && data.places[item.station]) { rows.push([said.people_station, data.places[item.station], ""]); }
      return {
        name: data.places[item.place], below: data.places[item.county] + " · " + said["setting_" + item.setting], rows: rows
      };
    }
    return {
      name: item.name, below: item.below,
      rows: item.facts.map(function (figure, i) { return [data.rows[kind][i][0], figure, data.rows[kind][i][1], item.unmet && figure[0] === "▲" ? "alarm" : ""]; })
    };
  }

  function figure(element, value, nature) {
    var part = nature === "modelled" && value !== "—" ? element.appendChild(document.createElement("em")) : element;
    part.appendChild(document.createTextNode(value + (value === "—" ? "" : data.marks[nature] || "")));
  }

  var tip = home.appendChild(document.createElement("div"));
  tip.id = "tip";
  tip.hidden = true;

  function hint(kind, item, at) {
    var all = facts(kind, item);
    var row = kind === "county" ? data.hint[Object.keys(data.hint).filter(function (key) { return shown[key]; })[0]]
      : kind === "station" && shown.ambulances ? 1 : 0;
    tip.textContent = "";
    tip.appendChild(document.createElement("b")).textContent = all.name;
    if (all.below) {
      var below = tip.appendChild(document.createElement("span"));
      below.className = "quiet";
      below.textContent = all.below;
    }
    var line = all.rows[row === undefined ? 0 : row];
    var value = tip.appendChild(document.createElement("span"));
    value.appendChild(document.createTextNode(line[0] + said.colon));
    figure(value, line[1], line[2]);
    tip.hidden = false;
    var size = map.getSize();
    var x = at.x + 14 + tip.offsetWidth > size.x ? at.x - 10 - tip.offsetWidth : at.x + 14;
    var y = at.y + 16 + tip.offsetHeight > size.y ? at.y - 10 - tip.offsetHeight : at.y + 16;
    tip.style.transform = "translate(" + Math.round(x) + "px," + Math.round(y) + "px)";
  }

  var card = document.getElementById("card");
  var marked = L.layerGroup().addTo(map);

  function open(kind, item) {
    var all = facts(kind, item);
    card.querySelector("h2").textContent = all.name;
    card.querySelector("p").textContent = all.below || "";
    var body = card.querySelector("tbody");
    body.textContent = "";
    all.rows.forEach(function (row) {
      var line = body.insertRow();
      line.insertCell().textContent = row[0];
      var cell = line.insertCell();
      cell.className = row[3] || "";
      figure(cell, row[1], row[2]);
    });
    card.hidden = false;
    marked.clearLayers();
    if (item.rings) {
      outline("marked", item.rings, theme.paper, 5).addTo(marked);
      outline("marked", item.rings, theme.ink, 2).addTo(marked);
    }
    if (kind === "station") {
      data.metres.forEach(function (radius, i) {
        L.circle([item.lat, item.lon], {
          renderer: canvas.marked, pane: "marked", interactive: false, radius: radius, fill: false, color: theme.ink, weight: 1.2,
          dashArray: i ? "5 4" : null
        }).addTo(marked);
      });
    }
  }

  function close() {
    card.hidden = true;
    marked.clearLayers();
  }

  var pending = null;
  map.on("mousemove", function (event) {
    if (!pending) { requestAnimationFrame(function () { var last = pending; pending = null; if (last) { hover(last); } }); }
    pending = event;
  });

  function hover(event) {
    var target = event.originalEvent.target;
    var hit = target.dataset && target.dataset.city ? null : found(event);
    home.style.cursor = hit ? "pointer" : "";
    if (hit) { hint(hit[0], hit[1], event.containerPoint); } else { tip.hidden = true; }
  }

  map.on("mouseout dragstart zoomstart", function () { tip.hidden = true; });
  map.on("click", function (event) {
    var target = event.originalEvent.target;
    var hit = target.dataset && target.dataset.city ? ["city", data.cities[target.dataset.city]] : found(event);
    tip.hidden = true;
    pending = null;
    if (hit) { open(hit[0], hit[1]); } else { close(); }
  });
  card.querySelector("button").addEventListener("click", close);
  document.addEventListener("keydown", function (event) { if (event.key === "Escape") { close(); } });

  /* ---- layers on and off; the legend shows what is shown ---- */

  var inputs = [].slice.call(document.querySelectorAll("#layers input"));

  function apply() {
    inputs.forEach(function (input) {
      shown[input.value] = input.checked;
      if (!input.checked) { map.removeLayer(layers[input.value]); }
    });
    /* With vehicles shown, a station's own symbol takes their size; it is not drawn twice. */
    var both = shown.stations && shown.ambulances;
    inputs.forEach(function (input) {
      if (input.checked && !(both && input.value === "stations")) { map.addLayer(layers[input.value]); }
    });
    if (both) { map.removeLayer(layers.stations); }
    restyle();
    [].forEach.call(document.querySelectorAll("#legend section"), function (section) {
      section.hidden = !section.dataset.layers.split(" ").some(function (key) { return shown[key]; });
    });
    document.getElementById("legend").hidden = !document.querySelector("#legend section:not([hidden])");
    placeNames();
  }

  inputs.forEach(function (input) {
    input.addEventListener("change", function () { apply(); remember(); });
  });

  /* ---- the place: the whole province at first; inside a page it survives the page's reruns ---- */

  var moved = false, own = false, store = null;
  try { store = window.self !== window.top ? window.sessionStorage : null; } catch (refused) { store = null; }

  function remember() {
    if (!store) { return; }
    var on = inputs.filter(function (input) { return input.checked; }).map(function (input) { return input.value; });
    try {
      store.setItem(data.place, JSON.stringify({ on: on, at: moved ? [map.getCenter().lat, map.getCenter().lng, map.getZoom()] : null }));
    } catch (full) { store = null; }
  }

  function recall() {
    var past = null;
    try { past = store && JSON.parse(store.getItem(data.place)); } catch (broken) { past = null; }
    if (past && past.on) {
      inputs.forEach(function (input) { input.checked = past.on.indexOf(input.value) >= 0; });
    }
    return past && past.at;
  }

  var corners = [map.project(extent.getNorthWest(), 0), map.project(extent.getSouthEast(), 0)];
  var aspect = (corners[1].x - corners[0].x) / (corners[1].y - corners[0].y);

  function whole() {
    var size = map.getSize(), legend = document.getElementById("legend");
    if (!size.x || !size.y) { return; }
    /* In the middle of the ground; only where it would touch the legend's column does it stand aside. */
    var plate = getComputedStyle(document.body).display === "grid" ? parseFloat(getComputedStyle(legend).width) + 20 : 0;
    var wide = (size.y - 28) * aspect;
    var beside = Math.max(0, Math.min(plate, wide + 2 * plate - size.x + 32, size.x - 32 - wide));
    own = true;
    map.fitBounds(extent, { paddingTopLeft: [16, 14], paddingBottomRight: [16 + beside, 14], animate: false });
    data.zoom = map.getZoom();
    own = false;
    map.setMinZoom(data.zoom - 1);
  }

  var back = L.DomUtil.create("a", "whole", zoom.getContainer());
  back.href = "#";
  back.title = said.whole;
  back.setAttribute("role", "button");
  back.setAttribute("aria-label", said.whole);
  var icon = back.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "svg"));
  icon.setAttribute("viewBox", "0 0 12 12");
  icon.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "path"))
    .setAttribute("d", "M1 4V1h3M8 1h3v3M11 8v3H8M4 11H1V8");
  L.DomEvent.disableClickPropagation(back);
  L.DomEvent.on(back, "click", function (event) {
    L.DomEvent.preventDefault(event);
    moved = false;
    whole();
    remember();
  });

  var past = recall();
  apply();
  whole();
  if (past) {
    moved = true;
    map.setView([past[0], past[1]], past[2], { animate: false });
  }
  map.on("movestart", function () { if (!own) { moved = true; } });
  map.on("moveend", remember);
  map.on("zoomend viewreset", placeNames);
  new ResizeObserver(function () {
    own = true;
    map.invalidateSize({ pan: false });
    own = false;
    if (!moved) { whole(); }
    placeNames();
  }).observe(home);
  placeNames();
  home.dataset.ready = "yes";
}
