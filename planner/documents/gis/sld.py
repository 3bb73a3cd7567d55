"""Looks as Styled Layer Descriptors 1.1, which programs other than QGIS read."""

from xml.etree import ElementTree

SE, SLD, OGC = "http://www.opengis.net/se", "http://www.opengis.net/sld", "http://www.opengis.net/ogc"
PIXEL = 0.28  # mm, as the standard has it
OPERATIONS = {"=": "PropertyIsEqualTo", ">=": "PropertyIsGreaterThanOrEqualTo", "<": "PropertyIsLessThan"}
ElementTree.register_namespace("se", SE)
ElementTree.register_namespace("sld", SLD)
ElementTree.register_namespace("ogc", OGC)


def sld_text(look, layer):
    """Return the SLD of a :class:`planner.documents.gis.symbols.Look` of a layer, as text."""
    top = ElementTree.Element(f"{{{SLD}}}StyledLayerDescriptor", {"version": "1.1.0"})
    named = ElementTree.SubElement(top, f"{{{SLD}}}NamedLayer")
    _add(named, SE, "Name", layer.name)
    style = ElementTree.SubElement(named, f"{{{SLD}}}UserStyle")
    _add(style, SE, "Name", look.title)
    kind = _add(style, SE, "FeatureTypeStyle")
    for rule in look.rules:
        _rule(kind, rule, layer)
    ElementTree.indent(top, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(top, encoding="unicode") + "\n"


def _add(parent, space, called, text=None, **attributes):
    element = ElementTree.SubElement(parent, f"{{{space}}}{called}", attributes)
    element.text = None if text is None else str(text)
    return element


def _rule(parent, rule, layer):
    element = _add(parent, SE, "Rule")
    _add(element, SE, "Name", rule.label)
    _add(_add(element, SE, "Description"), SE, "Title", rule.label)
    if rule.tests:
        place = _add(element, OGC, "Filter")
        place = _add(place, OGC, "And") if len(rule.tests) > 1 else place
        for machine, sign, value in rule.tests:
            test = _add(place, OGC, OPERATIONS.get(sign, "PropertyIsNull"))
            _add(test, OGC, "PropertyName", layer.field(machine))
            if sign in OPERATIONS:
                _add(test, OGC, "Literal", value)
    DRAWN[rule.symbol.kind](element, rule.symbol)


def _fill(parent, symbol):
    drawn = _add(parent, SE, "PolygonSymbolizer")
    _parameters(_add(drawn, SE, "Fill"), {"fill": symbol.fill})
    if symbol.edge and not symbol.merged:
        _stroke(drawn, symbol)


def _line(parent, symbol):
    _stroke(_add(parent, SE, "LineSymbolizer"), symbol)


def _marker(parent, symbol):
    graphic = _add(_add(parent, SE, "PointSymbolizer"), SE, "Graphic")
    mark = _add(graphic, SE, "Mark")
    _add(mark, SE, "WellKnownName", symbol.shape)
    _parameters(_add(mark, SE, "Fill"), {"fill": symbol.fill})
    if symbol.edge:
        _stroke(mark, symbol)
    _add(graphic, SE, "Size", _pixels(symbol.size))


def _stroke(parent, symbol):
    _parameters(_add(parent, SE, "Stroke"), {"stroke": symbol.edge, "stroke-width": _pixels(symbol.width)})


def _parameters(parent, values):
    for name, value in values.items():
        _add(parent, SE, "SvgParameter", value, name=name)


def _pixels(millimetres):
    return f"{millimetres / PIXEL:.2f}"


DRAWN = {"fill": _fill, "line": _line, "marker": _marker}
