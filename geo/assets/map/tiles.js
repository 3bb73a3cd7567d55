/* Base tiles of Tianditu, in a page whose planner has a key of it: streets below, their names above; never in a file. */
function tianditu(key) {
  "use strict";

  function tiles(layer) {
    return L.tileLayer(
      "https://t{s}.tianditu.gov.cn/" + layer + "_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER=" + layer +
      "&STYLE=default&TILEMATRIXSET=w&FORMAT=tiles&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}&tk=" + encodeURIComponent(key),
      { subdomains: "01234567", maxZoom: 18 }
    );
  }

  return L.layerGroup([tiles("vec"), tiles("cva")]);
}
