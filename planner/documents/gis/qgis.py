"""Looks as QGIS has them: style files (QML), and a project that opens the GeoPackage grouped, named and drawn."""

import zipfile
from xml.etree import ElementTree

import pyproj

from geo import theme
from planner.documents.gis.symbols import OPENS_WITH, THEMES

VERSION = "3.22.16"  # whose files these are like; newer ones read them
FONT = "Noto Sans CJK SC"
FIXED_DATE = (1980, 1, 1, 0, 0, 0)  # of a member of the zip file
SHAPES = {"cross": "cross_fill"}  # a sign's name in QGIS, where it differs
COMPARED = {"=": "=", ">=": ">=", "<": "<"}
CATEGORIES = "Symbology|Labeling|Fields|Forms"
DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
HATCH = "b_diagonal"
MIDDLE = "pole_of_inaccessibility($geometry, sqrt(area($geometry)) / 50)"  # where a name of an area stands
LOOK_ID, TABLE_ID = "jinyi_look_", "jinyi_table_"  # of a layer: QGIS takes none of ten letters or fewer


def qml_text(look, layer, domains, words):
    """Return the QML of a look of a layer: symbols, names beside them, and what fields and codes are called."""
    top = ElementTree.Element(
        "qgis", {"version": VERSION, "styleCategories": CATEGORIES, "labelsEnabled": _flag(look.label)}
    )
    _styled(top, look, layer, domains, words)
    return _text(top)


def _text(top):
    ElementTree.indent(top, " ")
    return DOCTYPE + ElementTree.tostring(top, encoding="unicode") + "\n"


def _styled(parent, look, layer, domains, words):
    if look is not None:
        _renderer(parent, look, layer)
        if look.label:
            _labels(parent, look.label, layer)
    _fields(parent, layer, domains, words)


def _flag(value):
    return "1" if value else "0"


def quoted(name):
    """Return the name of a field as an expression has it."""
    return '"' + name.replace('"', '""') + '"'


def literal(value):
    """Return a value as an expression has it."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'" if isinstance(value, str) else f"{value:g}"


def expression(tests, layer):
    """Return tests of a rule as an expression of QGIS."""
    said = []
    for machine, sign, value in tests:
        name = quoted(layer.field(machine))
        said.append(f"{name} IS NULL" if sign == "absent" else f"{name} {COMPARED[sign]} {literal(value)}")
    return " AND ".join(said)


def _renderer(parent, look, layer):
    merged = any(rule.symbol.merged for rule in look.rules)
    about = {"type": "RuleRenderer", "symbollevels": _flag(merged), "forceraster": "0", "enableorderby": "0"}
    renderer = ElementTree.SubElement(parent, "renderer-v2", about)
    rules = ElementTree.SubElement(renderer, "rules", {"key": "{" + look.key + "}"})
    symbols = ElementTree.SubElement(renderer, "symbols")
    for number, rule in enumerate(look.rules):
        values = {"key": "{" + f"{look.key}-{number}" + "}", "symbol": str(number), "label": rule.label}
        if rule.tests:
            values["filter"] = expression(rule.tests, layer)
        ElementTree.SubElement(rules, "rule", values)
        _symbol(symbols, number, rule.symbol)


def _symbol(parent, number, symbol):
    kind = "marker" if symbol.kind == "marker" else "fill"  # a line is the edge of an area here
    about = {"name": str(number), "type": kind, "alpha": "1", "clip_to_extent": "1", "force_rhr": "0"}
    element = ElementTree.SubElement(parent, "symbol", about)
    edge = {
        "line_color": _colour(symbol.edge),
        "line_style": "solid",
        "line_width": symbol.width,
        "line_width_unit": "MM",
    }
    outline = {
        "outline_color": _colour(symbol.edge),
        "outline_style": "solid" if symbol.edge else "no",
        "outline_width": symbol.width,
        "outline_width_unit": "MM",
    }
    joined = {"joinstyle": "round"}
    if symbol.kind == "line":
        _part(element, "SimpleLine", edge | joined)
    elif symbol.kind == "marker":
        shape = {"name": SHAPES.get(symbol.shape, symbol.shape), "size": symbol.size, "size_unit": "MM"}
        _part(element, "SimpleMarker", {"color": _colour(symbol.fill), **shape, **outline, "joinstyle": "miter"})
    elif symbol.merged:  # the edges of all first, the areas over them: what overlaps becomes one
        _part(element, "SimpleLine", edge | joined | {"line_width": 2 * symbol.width}, 2 * number)
        _part(
            element,
            "SimpleFill",
            {"color": _colour(symbol.fill), "style": "solid", "outline_style": "no"},
            2 * number + 1,
        )
    else:
        _part(element, "SimpleFill", {"color": _colour(symbol.fill), "style": "solid", **outline, **joined})
        if symbol.hatch:
            _part(element, "SimpleFill", {"color": _colour(theme.QUIET), "style": HATCH, "outline_style": "no"})


def _part(symbol, kind, values, level=0):
    about = {"class": kind, "enabled": "1", "locked": "0", "pass": str(level)}
    layer = ElementTree.SubElement(symbol, "layer", about)
    options = ElementTree.SubElement(layer, "Option", {"type": "Map"})
    for name, value in values.items():
        ElementTree.SubElement(options, "Option", {"name": name, "type": "QString", "value": str(value)})
    for name, value in values.items():  # as versions before 3.26 read it
        ElementTree.SubElement(layer, "prop", {"k": name, "v": str(value)})


def _colour(colour):
    if not colour:
        return "0,0,0,0"
    return ",".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5)) + ",255"


def _labels(parent, label, layer):
    said = quoted(layer.field(label.name))
    if label.figure:
        figure = quoted(layer.field(label.figure))
        number = f"format_number({figure}, {label.decimals})"
        number = f"if({figure} > 0, '+', '') || {number}" if label.signed else number
        said = f"{said} || '\\n' || coalesce({number}, '—')"
    labeling = ElementTree.SubElement(parent, "labeling", {"type": "simple"})
    settings = ElementTree.SubElement(labeling, "settings", {"calloutType": "simple"})
    style = ElementTree.SubElement(
        settings,
        "text-style",
        {
            "fieldName": said,
            "isExpression": "1",
            "fontFamily": FONT,
            "fontSize": f"{label.points:g}",
            "fontSizeUnit": "Point",
            "fontWeight": "75" if label.bold else "50",
            "namedStyle": "Bold" if label.bold else "Regular",
            "textColor": _colour(theme.INK),
            "textOpacity": "1",
        },
    )
    halo = {"bufferDraw": "1", "bufferSize": "0.7", "bufferSizeUnits": "MM", "bufferColor": _colour(theme.PAPER)}
    ElementTree.SubElement(style, "text-buffer", halo | {"bufferOpacity": "0.9", "bufferJoinStyle": "128"})
    ElementTree.SubElement(settings, "text-format", {"multilineAlign": "1", "wrapChar": ""})
    if layer.geometry == "Point":
        place = {
            "placement": "6",
            "offsetType": "1",
            "dist": "0.4",
            "distUnits": "MM",
            "predefinedPositionOrder": "R,L,T,B",
        }
    else:
        inside = {"geometryGeneratorEnabled": "1", "geometryGeneratorType": "PointGeometry"}
        place = {"placement": "1", "quadOffset": "4", "geometryGenerator": MIDDLE} | inside
    ElementTree.SubElement(settings, "placement", place)
    scale = {"scaleVisibility": _flag(label.beyond), "scaleMin": "0", "scaleMax": str(label.beyond)}
    ElementTree.SubElement(
        settings, "rendering", {"drawLabels": "1", "obstacle": _flag(layer.geometry == "Point"), **scale}
    )


def _fields(parent, layer, domains, words):
    """Write what each field is called, and for codes what they mean."""
    side = 0 if words.lang == "zh" else 1
    configuration = ElementTree.SubElement(parent, "fieldConfiguration")
    for field in layer.fields:
        codes = domains.get(field.domain, {})
        element = ElementTree.SubElement(configuration, "field", {"name": field.name, "configurationFlags": "None"})
        widget = ElementTree.SubElement(element, "editWidget", {"type": "ValueMap" if codes else "TextEdit"})
        options = ElementTree.SubElement(ElementTree.SubElement(widget, "config"), "Option", {"type": "Map"})
        if codes:
            listed = ElementTree.SubElement(options, "Option", {"name": "map", "type": "List"})
            for code, meanings in codes.items():
                pair = ElementTree.SubElement(listed, "Option", {"type": "Map"})
                ElementTree.SubElement(pair, "Option", {"name": meanings[side], "type": "QString", "value": code})
    aliases = ElementTree.SubElement(parent, "aliases")
    for index, field in enumerate(layer.fields, start=1):  # 0 is the key of the GeoPackage
        said = field.heading + (
            f" ({field.unit})" if field.unit and words.lang == "en" else f"（{field.unit}）" if field.unit else ""
        )
        ElementTree.SubElement(aliases, "alias", {"field": field.name, "index": str(index), "name": said})


def write_project(path, package, title, looks, layers, tables, domains, crs, shown, words):  # noqa: PLR0913 - one file
    """Write the project of a GeoPackage that lies beside it, as a zip file with a fixed date.

    package  the GeoPackage's file name; layers: {machine: Layer} of results; tables: Layers without shapes
    crs      pyproj CRS of the layers; shown: of the map
    Raises OSError.
    """
    top = ElementTree.Element("qgis", {"version": VERSION, "projectname": title})
    ElementTree.SubElement(top, "homePath", {"path": ""})
    ElementTree.SubElement(top, "title").text = title
    _system(ElementTree.SubElement(top, "projectCrs"), shown)
    _tree(top, looks, layers, tables, package, words)
    _canvas(top, layers["counties"].frame, shown)
    listed = ElementTree.SubElement(top, "projectlayers")
    for look in looks:
        _map_layer(listed, f"{LOOK_ID}{look.key}", look.title, layers[look.layer], look, package, crs, domains, words)
    for table in tables:
        _map_layer(listed, f"{TABLE_ID}{table.machine}", table.title, table, None, package, crs, domains, words)
    _themes(top, looks, words)
    properties = ElementTree.SubElement(top, "properties")
    paths = ElementTree.SubElement(properties, "Paths")
    ElementTree.SubElement(paths, "Absolute", {"type": "bool"}).text = "false"
    systems = ElementTree.SubElement(properties, "SpatialRefSys")
    ElementTree.SubElement(systems, "ProjectionsEnabled", {"type": "int"}).text = "1"
    with zipfile.ZipFile(path, "w") as file:
        member = zipfile.ZipInfo(f"{path.stem}.qgs", FIXED_DATE)
        member.external_attr = 0o644 << 16
        member.create_system = 3
        file.writestr(member, _text(top).encode("utf-8"), zipfile.ZIP_DEFLATED, 9)


def _source(package, layer):
    return f"./{package}|layername={layer.name}"


def _system(parent, crs):
    """Write a coordinate system as QGIS has it; it goes by the EPSG code."""
    authority, code = crs.to_authority()
    element = ElementTree.SubElement(parent, "spatialrefsys", {"nativeFormat": "Wkt"})
    values = {
        "wkt": crs.to_wkt(pyproj.enums.WktVersion.WKT2_2019),
        "srid": code,
        "authid": f"{authority}:{code}",
        "description": crs.name,
        "geographicflag": "true" if crs.is_geographic else "false",
    }
    for name, value in values.items():
        ElementTree.SubElement(element, name).text = value


GROUPS = ("ground", "centres", "emergency", "beds", "tables")


def _tree(top, looks, layers, tables, package, words):
    """Write the tree of layers: names and borders first, tables last; of the bed maps one at a time is seen."""
    tree = ElementTree.SubElement(top, "layer-tree-group")
    on = THEMES[OPENS_WITH]
    for group in GROUPS:
        about = {"name": words(f"handover.group.{group}"), "checked": "Qt::Checked", "expanded": _flag(group == "beds")}
        if group == "beds":
            about |= {"mutually-exclusive": "1", "mutually-exclusive-child": "0"}
        element = ElementTree.SubElement(tree, "layer-tree-group", about)
        if group == "tables":
            entries = [(f"{TABLE_ID}{table.machine}", table.title, table, False) for table in tables]
        else:
            own = [look for look in looks if look.group == group and look.key != "land"]
            entries = [(f"{LOOK_ID}{look.key}", look.title, layers[look.layer], look.key in on) for look in own]
        for identity, title, layer, checked in entries:
            _leaf(element, identity, title, layer, checked, package)
    for look in (look for look in looks if look.key == "land"):  # below all
        _leaf(tree, f"{LOOK_ID}{look.key}", look.title, layers[look.layer], False, package)


def _leaf(parent, identity, title, layer, checked, package):
    about = {
        "id": identity,
        "name": title,
        "checked": "Qt::Checked" if checked else "Qt::Unchecked",
        "expanded": _flag(checked),
        "source": _source(package, layer),
        "providerKey": "ogr",
    }
    ElementTree.SubElement(parent, "layer-tree-layer", about)


def _canvas(top, counties, shown):
    """Write what the map shows at first: the whole area with a little around it."""
    west, south, east, north = counties.geometry.to_crs(shown).total_bounds
    around = 0.03 * max(east - west, north - south)
    canvas = ElementTree.SubElement(top, "mapcanvas", {"name": "theMapCanvas", "annotationsVisible": "1"})
    ElementTree.SubElement(canvas, "units").text = "degrees" if shown.is_geographic else "meters"
    extent = ElementTree.SubElement(canvas, "extent")
    corners = {"xmin": west - around, "ymin": south - around, "xmax": east + around, "ymax": north + around}
    for name, value in corners.items():
        ElementTree.SubElement(extent, name).text = f"{value:.6f}"
    ElementTree.SubElement(canvas, "rotation").text = "0"
    _system(ElementTree.SubElement(canvas, "destinationsrs"), shown)


def _map_layer(parent, identity, title, layer, look, package, crs, domains, words):
    geometry = {"Point": "Point", None: "No geometry"}.get(layer.geometry, "Polygon")
    about = {"type": "vector", "geometry": geometry, "hasScaleBasedVisibilityFlag": "0"}
    element = ElementTree.SubElement(parent, "maplayer", about | {"labelsEnabled": _flag(look and look.label)})
    ElementTree.SubElement(element, "id").text = identity
    ElementTree.SubElement(element, "datasource").text = _source(package, layer)
    ElementTree.SubElement(element, "layername").text = title
    ElementTree.SubElement(element, "abstract").text = layer.about
    if layer.geometry:
        _system(ElementTree.SubElement(element, "srs"), crs)
    ElementTree.SubElement(element, "provider", {"encoding": "UTF-8"}).text = "ogr"
    _styled(element, look, layer, domains, words)


def _themes(top, looks, words):
    """Write the map themes: which layers are on for each map of the atlas."""
    there = {look.key for look in looks}
    presets = ElementTree.SubElement(top, "visibility-presets")
    for name, on in THEMES.items():
        if name not in there:
            continue
        about = {"name": words(f"series.{name}_title"), "has-expanded-info": "0", "has-checked-group-info": "0"}
        preset = ElementTree.SubElement(presets, "visibility-preset", about)
        for key in (key for key in on if key in there):
            ElementTree.SubElement(preset, "layer", {"id": f"{LOOK_ID}{key}", "style": "default", "visible": "1"})
