/*
 * Draws one plan on a Leaflet map: fills, lines, circles, symbols, names, and what a pointer asks about them.
 * Text from data enters the page by textContent alone, so a name can never become markup. Coordinates arrive as
 * whole steps of data.grid degrees, each ring as differences.
 *
 * Called again on the same map it draws anew in place: the extent, the layers that are on and the open card stay.
 * page is what a frame knows (see frame.js) and null in a file: { mode, withdrawn, at, on, tiles, tell(event), moved(at) }.
 */
function drawPlan(map, data, page) {
  "use strict";

  var theme = data.theme;
  var said = data.words;
  var shown = {};
  var home = map.getContainer();
  var before = map.leavePlan ? map.leavePlan() : null;
  if (before && before.place !== data.place) { before = null; }
  data.zoom = before ? before.zoom : map.getZoom();

  var ears = [];
  function on(events, heard) {
    map.on(events, heard);
    ears.push([events, heard]);
  }

  if (!map.zoomer) {
    map.zoomer = L.control.zoom({ position: "topleft" }).addTo(map);
    L.control.scale({ position: "topleft", imperial: false, maxWidth: 100 }).addTo(map);
  }
  var buttons = map.zoomer.getContainer().querySelectorAll("a");
  [said.zoom_in, said.zoom_out].forEach(function (title, i) {
    buttons[i].title = title;
    buttons[i].setAttribute("aria-label", title);
  });

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
  var Dots = L.Canvas.extend({ _draw: function () { drawDots(this); } });
  ["land", "fill", "reach", "lines", "dots", "people", "symbols", "centres", "marked", "names"].forEach(function (name, i) {
    (map.getPane(name) || map.createPane(name)).style.zIndex = 410 + i;
    map.getPane(name).style.pointerEvents = "none";
    if (name !== "names") {
      canvas[name] = name === "dots" ? new Dots({ pane: name, padding: 0.1 }) : L.canvas({ pane: name, padding: 0.3 });
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

  /* A layer is made when it is first shown. */
  var layers = {}, makers = { none: function () { return L.layerGroup(); } };
  Object.keys(data.fills).forEach(function (key) { makers[key] = function () { return countyFills(key); }; });

  function layer(key) {
    if (!layers[key]) { layers[key] = makers[key](); }
    return layers[key];
  }

  /* ---- symbols: told apart by shape ---- */

  var SHAPES = {
    circle: function (ctx, p, r) { ctx.arc(p.x, p.y, r, 0, 2 * Math.PI); },
    triangle: function (ctx, p, r) { regular(ctx, p, r * 1.22, 3, -Math.PI / 2); },
    square: function (ctx, p, r) { regular(ctx, p, r * 1.2, 4, -Math.PI / 4); },
    hexagon: function (ctx, p, r) { regular(ctx, p, r * 1.25, 6, -Math.PI / 2); },
    diamond: function (ctx, p, r) { regular(ctx, p, r * 1.35, 4, -Math.PI / 2); },
    crossed: function (ctx, p, r) {
      regular(ctx, p, r * 1.35, 4, -Math.PI / 4);
      ctx.moveTo(p.x - r * 0.95, p.y - r * 0.95);
      ctx.lineTo(p.x + r * 0.95, p.y + r * 0.95);
      ctx.moveTo(p.x - r * 0.95, p.y + r * 0.95);
      ctx.lineTo(p.x + r * 0.95, p.y - r * 0.95);
    },
    plus: function (ctx, p, r) {
      var a = r * 0.42, b = r * 1.25;
      [[-a, -b], [a, -b], [a, -a], [b, -a], [b, a], [a, a], [a, b], [-a, b], [-a, a], [-b, a], [-b, -a], [-a, -a]].forEach(function (q, i) {
        ctx[i ? "lineTo" : "moveTo"](p.x + q[0], p.y + q[1]);
      });
      ctx.closePath();
    },
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
    var style = at.mark ? theme.mark[at.mark] : theme.station[at.status], hollow = style.fill === theme.paper;
    return symbol("symbols", at, {
      shape: style.shape, radius: (hollow ? radius : radius + 0.4) + (at.mark ? 1.4 : 0), fillColor: style.fill, color: style.line,
      weight: hollow ? 1.3 : 0.9, number: style.shape === "crossed" ? "" : number, ink: style.line, casing: at.mark ? 1 : 0
    });
  }

  /* The commonest kind first, what a planner decided last, so that no kind is buried where symbols crowd. */
  function kindOf(at) { return at.mark ? "\uffff" + at.mark : at.status; }
  var kinds = {};
  data.stations.forEach(function (at) { kinds[kindOf(at)] = (kinds[kindOf(at)] || 0) + 1; });
  var rareLast = data.stations.slice().sort(function (a, b) {
    return (a.mark ? 1 : 0) - (b.mark ? 1 : 0) || kinds[kindOf(b)] - kinds[kindOf(a)];
  });

  function barredSites() {
    return data.barred.map(function (at) {
      var style = theme.mark.barred;
      return symbol("symbols", at, { shape: style.shape, radius: 3.2, fillColor: style.fill, color: style.line, weight: 1.2 });
    });
  }

  /* Larger symbols first, so that a small one is never buried. */
  function byVehicles() {
    return data.stations.slice().sort(function (a, b) { return b.ambulances - a.ambulances; }).map(function (at) {
      return station(at, theme.vehicle_radius * Math.sqrt(at.ambulances) + 1.6, String(at.ambulances));
    });
  }

  makers.stations = function () {
    return L.layerGroup(barredSites().concat(rareLast.map(function (at) { return station(at, 3.1, ""); })));
  };
  makers.ambulances = function () { return L.layerGroup(barredSites().concat(byVehicles())); };
  makers.uncovered = function () {
    return L.layerGroup(data.uncovered.map(function (at) {
      return symbol("people", at, {
        radius: Math.min(theme.people_most, theme.people_radius * Math.sqrt(at.persons)), fillColor: theme.alarm, fillOpacity: 0.75,
        color: theme.paper, weight: 0.5
      });
    }));
  };
  makers.people = function () { return canvas.dots; };
  makers.tiles = function () { return page.tiles; };
  var centreSymbols = data.centres.map(function (at) {
    var shape = theme.centre[at.level];
    return symbol("centres", at, {
      shape: shape, radius: shape === "star" ? 8 : 6, fillColor: theme.ink, color: theme.paper, weight: 1, casing: 2
    });
  });
  if (makers.centres) {
    makers.centres = function () {
      var lines = data.catchments.map(function (catchment) {
        return outline("lines", rings(catchment.shape), theme.ink, theme.width.catchment);
      });
      return L.layerGroup([countyFills("centres")].concat(lines, centreSymbols));
    };
  }

  /* ---- people: tens of thousands of dots on one canvas, told apart by colour, and by shape where there is room ---- */

  var dots = null;

  function readDots() {
    return (data.people || []).map(function (part) {
      var count = part.size.length, across = new Float64Array(count), down = new Float64Array(count), x = 0, y = 0;
      for (var i = 0; i < count; i++) {
        x += part.at[2 * i];
        y += part.at[2 * i + 1];
        var sine = Math.sin(y * data.grid * Math.PI / 180);
        across[i] = x * data.grid / 360 + 0.5;
        down[i] = 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI);
      }
      return { style: theme.state[part.state], state: part.state, across: across, down: down, size: part.size };
    });
  }

  function drawDots(renderer) {
    var ctx = renderer._ctx, bounds = renderer._bounds;
    if (!ctx || !bounds || !data.people) { return; }
    dots = dots || readDots();
    var world = 256 * Math.pow(2, map.getZoom()), origin = map.getPixelOrigin();
    var km = pixels(1000, map.getCenter().lat);
    var least = [0.8, 1.2, 1.9, 2.8], most = [0.5, 0.8, 1.2, 1.8].map(function (size, i) { return Math.max(least[i], Math.min(6.5, size * km)); });
    dots.forEach(function (part) {
      var far = part.state === "uncovered" ? 1.25 : 1;
      for (var step = 0; step < 4; step++) {
        var size = most[step] * far, half = size / 2, digit = String(step);
        ctx.beginPath();
        for (var i = 0; i < part.size.length; i++) {
          if (part.size[i] !== digit) { continue; }
          var x = part.across[i] * world - origin.x, y = part.down[i] * world - origin.y;
          if (x < bounds.min.x || x > bounds.max.x || y < bounds.min.y || y > bounds.max.y) { continue; }
          if (size < 3 || part.style.shape === "square") { ctx.rect(x - half, y - half, size, size); continue; }
          if (part.style.shape === "circle") { ctx.moveTo(x + half, y); ctx.arc(x, y, half, 0, 2 * Math.PI); continue; }
          ctx.moveTo(x - half, y - half);
          ctx.lineTo(x + half, y + half);
          ctx.moveTo(x - half, y + half);
          ctx.lineTo(x + half, y - half);
        }
        /* Empty country is pale, the more so from afar, so that the eye counts people and not land. */
        ctx.globalAlpha = (km < 2 ? [0.28, 0.5, 0.85, 0.95] : [0.5, 0.75, 0.9, 0.95])[step];
        if (size >= 3 && part.style.shape === "cross") {
          ctx.strokeStyle = part.style.fill;
          ctx.lineWidth = Math.max(1.2, size / 4);
          ctx.stroke();
        } else {
          ctx.fillStyle = part.style.fill;
          ctx.fill();
        }
      }
    });
    ctx.globalAlpha = 1;
  }

  /* ---- reach: the union of all circles, not four hundred of them ---- */

  var reach = ["rural", "urban"].map(function (setting) {
    return area("reach", rings(data.reach[setting]), {
      fillColor: theme.accent, stroke: true, color: theme.accent, weight: theme.width.circle, smoothFactor: 0
    });
  });
  makers.circles = function () { return L.layerGroup(reach); };

  /* Over a fill the reach is its outline alone, and county lines darken so that they part pale classes too. */
  function restyle() {
    var plain = shown.none;
    home.classList.toggle("tiled", !!shown.tiles);
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
    city: [[0, 0], [0, -12], [0, 12], [-14, 0], [14, 0], [0, -20], [0, 20], [-22, -10], [22, -10], [-22, 10], [22, 10], [0, -32], [0, 32], [-44, 0], [44, 0], [0, 46], [0, -46]],
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
    /* The symbol of a centre is never covered: it is what a map of centres is about. */
    if (shown.centres) {
      data.centres.forEach(function (centre) {
        var sign = map.latLngToLayerPoint([centre.lat, centre.lon]);
        taken.push({ x: sign.x, y: sign.y, w: 18, h: 18 });
      });
    }
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
    if ((shown.stations || shown.ambulances) && (hit = near(data.barred, at, function () { return 2; }))) { return ["barred", hit]; }
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
    if (line) {
      var value = tip.appendChild(document.createElement("span"));
      value.appendChild(document.createTextNode(line[0] + said.colon));
      figure(value, line[1], line[2]);
    }
    tip.hidden = false;
    var size = map.getSize();
    var x = at.x + 14 + tip.offsetWidth > size.x ? at.x - 10 - tip.offsetWidth : at.x + 14;
    var y = at.y + 16 + tip.offsetHeight > size.y ? at.y - 10 - tip.offsetHeight : at.y + 16;
    tip.style.transform = "translate(" + Math.round(x) + "px," + Math.round(y) + "px)";
  }

  var card = document.getElementById("card");
  var marked = L.layerGroup().addTo(map);

  var opened = null;

  function known(item) { return item.id || item.code || [item.below, item.name].join("\u0000"); }

  function open(kind, item) {
    var all = facts(kind, item);
    opened = [kind, known(item)];
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
    opened = null;
    card.hidden = true;
    marked.clearLayers();
  }

  /* ---- what a planner changes: in the modes of a page a click, a dragged station, is told and no card opens ---- */

  function editing() { return page && page.mode !== "look"; }

  function stationAt(point) { return near(data.stations, point, function () { return 8 * grown(); }); }

  function degrees(latlng) { return { lon: Math.round(latlng.lng * 1e6) / 1e6, lat: Math.round(latlng.lat * 1e6) / 1e6 }; }

  function told(event) {
    var mode = page.mode, hit = mode === "add" ? null : stationAt(event.containerPoint);
    if (hit) { return { kind: "station", id: hit.id, lon: hit.lon, lat: hit.lat }; }
    hit = mode === "remove" || mode === "forbid" ? near(data.barred, event.containerPoint, function () { return 6; }) : null;
    if (hit) { return { kind: "barred", id: hit.id, lon: hit.lon, lat: hit.lat }; }
    return mode === "remove" || mode === "move" ? null : L.extend({ kind: "point" }, degrees(event.latlng));
  }

  var drag = null;

  function ghost(latlng) {
    if (drag.line) { marked.removeLayer(drag.line); marked.removeLayer(drag.sign); }
    drag.line = L.polyline([[drag.item.lat, drag.item.lon], latlng], {
      renderer: canvas.marked, pane: "marked", interactive: false, color: theme.ink, weight: 1.4, dashArray: "4 4"
    }).addTo(marked);
    drag.sign = symbol("marked", { lat: latlng.lat, lon: latlng.lng }, {
      shape: theme.mark.moved.shape, radius: 5, fillColor: theme.mark.moved.fill, color: theme.paper, weight: 1, casing: 1
    }).addTo(marked);
    drag.at = latlng;
  }

  function take(event) {
    if (!page || page.mode !== "move" || page.withdrawn || event.button || event.target.closest(".leaflet-control")) { return; }
    var hit = stationAt(map.mouseEventToContainerPoint(event));
    if (!hit) { return; }
    map.dragging.disable();
    drag = { item: hit, pointer: event.pointerId, x: event.clientX, y: event.clientY, at: null };
    home.setPointerCapture(event.pointerId);
    home.classList.add("carrying");
    tip.hidden = true;
  }

  function carry(event) {
    if (!drag || event.pointerId !== drag.pointer) { return; }
    if (!drag.at && Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < 4) { return; }
    ghost(map.mouseEventToLatLng(event));
  }

  function drop(event) {
    if (!drag || (event && event.pointerId !== drag.pointer)) { return; }
    var done = drag;
    drag = null;
    map.dragging.enable();
    home.classList.remove("carrying");
    if (event && event.type === "pointerup" && done.at) {
      page.carried = true;
      setTimeout(function () { page.carried = false; }, 50);
      page.tell(L.extend({ kind: "move", id: done.item.id }, degrees(done.at)));
    } else if (done.line) {
      marked.clearLayers();
    }
  }

  function escape(event) {
    if (event.key !== "Escape") { return; }
    drop(null);
    close();
  }

  home.addEventListener("pointerdown", take, true);
  home.addEventListener("pointermove", carry);
  home.addEventListener("pointerup", drop);
  home.addEventListener("pointercancel", drop);

  var pending = null;
  on("mousemove", function (event) {
    if (!pending) { requestAnimationFrame(function () { var last = pending; pending = null; if (last) { hover(last); } }); }
    pending = event;
  });

  function hover(event) {
    var target = event.originalEvent.target;
    var hit = target.dataset && target.dataset.city ? null : found(event);
    if (drag) { return; }
    home.style.cursor = editing() ? (page.mode !== "add" && stationAt(event.containerPoint) ? (page.mode === "move" ? "grab" : "pointer") : "")
      : hit ? "pointer" : "";
    if (hit) { hint(hit[0], hit[1], event.containerPoint); } else { tip.hidden = true; }
  }

  on("mouseout dragstart zoomstart", function () { tip.hidden = true; });
  on("click", function (event) {
    if (page && (page.withdrawn || page.carried)) { return; }
    if (editing()) {
      var report = told(event);
      if (report) { page.tell(report); }
      return;
    }
    var target = event.originalEvent.target;
    var hit = target.dataset && target.dataset.city ? ["city", data.cities[target.dataset.city]] : found(event);
    tip.hidden = true;
    pending = null;
    if (hit) { open(hit[0], hit[1]); } else { close(); }
  });
  card.querySelector("button").addEventListener("click", close);
  document.addEventListener("keydown", escape);

  /* ---- layers on and off; the legend shows what is shown ---- */

  var inputs = [].slice.call(document.querySelectorAll("#layers input"));

  function apply() {
    inputs.forEach(function (input) {
      shown[input.value] = input.checked;
      if (!input.checked && layers[input.value]) { map.removeLayer(layers[input.value]); }
    });
    /* With vehicles shown, a station's own symbol takes their size; it is not drawn twice. */
    var both = shown.stations && shown.ambulances;
    inputs.forEach(function (input) {
      if (input.checked && !(both && input.value === "stations")) { map.addLayer(layer(input.value)); }
    });
    if (both && layers.stations) { map.removeLayer(layers.stations); }
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

  var moved = !!(before && before.moved), own = false, store = null;
  try { store = !page && window.self !== window.top ? window.sessionStorage : null; } catch (refused) { store = null; }

  function chosen() {
    return inputs.filter(function (input) { return input.checked; }).map(function (input) { return input.value; });
  }

  function place() { return moved ? [map.getCenter().lat, map.getCenter().lng, map.getZoom()] : null; }

  function remember() {
    if (page) { page.moved(place(), chosen()); }
    if (!store) { return; }
    try {
      store.setItem(data.place, JSON.stringify({ on: chosen(), at: place() }));
    } catch (full) { store = null; }
  }

  function recall() {
    var past = null;
    try { past = store && JSON.parse(store.getItem(data.place)); } catch (broken) { past = null; }
    if (page) { past = { on: before ? before.on : page.on, at: before ? null : page.at }; }
    if (past && past.on) {
      inputs.forEach(function (input) { input.checked = past.on.indexOf(input.value) >= 0; });
      /* A fill or an overlay that this map does not have leaves the one that it shows first. */
      var fills = inputs.filter(function (input) { return input.type === "radio"; });
      if (fills.length && !fills.some(function (input) { return input.checked; })) {
        (fills.filter(function (input) { return input.defaultChecked; })[0] || fills[0]).checked = true;
      }
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

  function go(at) {
    own = true;
    moved = !!at;
    if (at) { map.setView([at[0], at[1]], at[2], { animate: false }); } else { whole(); }
    own = false;
  }

  map.showWhole = function () {
    moved = false;
    whole();
    remember();
  };
  if (!map.wholeButton) {
    var back = map.wholeButton = L.DomUtil.create("a", "whole", map.zoomer.getContainer());
    back.href = "#";
    back.setAttribute("role", "button");
    var icon = back.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "svg"));
    icon.setAttribute("viewBox", "0 0 12 12");
    icon.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "path"))
      .setAttribute("d", "M1 4V1h3M8 1h3v3M11 8v3H8M4 11H1V8");
    L.DomEvent.disableClickPropagation(back);
    L.DomEvent.on(back, "click", function (event) {
      L.DomEvent.preventDefault(event);
      map.showWhole();
    });
  }
  map.wholeButton.title = said.whole;
  map.wholeButton.setAttribute("aria-label", said.whole);

  var past = recall();
  apply();
  if (!before) {
    whole();
    if (past) { go(past); }
  }
  on("movestart", function () { if (!own) { moved = true; } });
  on("moveend", function () { if (!own) { remember(); } });
  on("zoomend viewreset", placeNames);
  var sized = new ResizeObserver(function () {
    own = true;
    map.invalidateSize({ pan: false });
    own = false;
    if (!moved) { whole(); }
    placeNames();
  });
  sized.observe(home);
  if (before && before.opened) {
    var among = { station: data.stations, county: data.counties, city: data.cities, centre: data.centres, barred: data.barred };
    var again = (among[before.opened[0]] || []).filter(function (item) { return known(item) === before.opened[1]; })[0];
    if (again) { open(before.opened[0], again); }
  }
  placeNames();

  /* Leave the map as it is, empty of this plan, and tell what the next drawing is to keep. */
  map.leavePlan = function () {
    drop(null);
    var kept = { place: data.place, zoom: data.zoom, moved: moved, on: chosen(), opened: opened };
    sized.disconnect();
    document.removeEventListener("keydown", escape);
    [["pointerdown", take, true], ["pointermove", carry], ["pointerup", drop], ["pointercancel", drop]].forEach(function (ear) {
      home.removeEventListener(ear[0], ear[1], ear[2]);
    });
    ears.forEach(function (ear) { map.off(ear[0], ear[1]); });
    pending = null;
    tip.remove();
    var all = [];
    map.eachLayer(function (each) { if (!(each instanceof L.TileLayer || (page && each === page.tiles))) { all.push(each); } });
    all.forEach(function (each) { map.removeLayer(each); });
    return kept;
  };
  map.goTo = go;
  map.dropped = function () { if (!drag && !opened) { marked.clearLayers(); } };
  map.modeChanged = function () {
    drop(null);
    home.style.cursor = "";
    if (!editing()) { return; }
    close();
    if (shown.stations || shown.ambulances) { return; }
    inputs.forEach(function (input) { if (input.value === "stations") { input.checked = true; } });
    apply();
  };
  if (editing()) { map.modeChanged(); }
  home.dataset.ready = "yes";
}
