"""Layers into files: a GeoPackage with its schema and its styles, and a file geodatabase; the same bytes every time."""

import sqlite3
from contextlib import closing, contextmanager
from xml.etree import ElementTree

import pyogrio

from planner.documents.gis.fields import SEVERAL

MOMENT = "2000-01-01T00:00:00.000Z"  # GDAL would stamp the time of writing
GDAL_OPTIONS = {
    "OGR_CURRENT_DATE": MOMENT,
    "OGR_SQLITE_SYNCHRONOUS": "OFF",
    "OPENFILEGDB_REPRODUCIBLE_UUID": "YES",
}
SCHEMA = """
CREATE TABLE gpkg_data_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT, title TEXT,
    description TEXT, mime_type TEXT, constraint_name TEXT,
    CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name), CONSTRAINT gdc_tn UNIQUE (table_name, name));
CREATE TABLE gpkg_data_column_constraints (constraint_name TEXT NOT NULL, constraint_type TEXT NOT NULL, value TEXT,
    min NUMERIC, min_is_inclusive BOOLEAN, max NUMERIC, max_is_inclusive BOOLEAN, description TEXT,
    CONSTRAINT gdcc_ntv UNIQUE (constraint_name, constraint_type, value));
CREATE TABLE IF NOT EXISTS gpkg_extensions (table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL,
    definition TEXT NOT NULL, scope TEXT NOT NULL,
    CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name));
"""
DATASET = {"GPKG": {"VERSION": "1.2"}, "OpenFileGDB": None}  # 1.2: programs of some years ago read it without a word
STYLES = """
CREATE TABLE layer_styles (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256),
    f_table_schema TEXT(256), f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT,
    styleSLD TEXT, useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30), update_time DATETIME);
"""
SCHEMA_SPEC = "http://www.geopackage.org/spec121/#extension_schema"


def write_geopackage(layers, path, domains, styles, words):
    """Write layers with their fields and codes explained, and ``styles`` for the programs that read them.

    domains  {name: {code: (Chinese, English)}}
    styles   (layer name, :class:`planner.documents.gis.symbols.Look`, QML, SLD)
    Raises OSError.
    """
    _write(layers, path, "GPKG", lambda layer: {"DESCRIPTION": layer.about})
    try:
        with closing(sqlite3.connect(path)) as file, file:
            file.execute("PRAGMA synchronous = OFF")
            file.executescript(SCHEMA)
            file.executemany(
                "INSERT INTO gpkg_extensions VALUES (?, NULL, 'gpkg_schema', ?, 'read-write')",
                [(table, SCHEMA_SPEC) for table in ("gpkg_data_columns", "gpkg_data_column_constraints")],
            )
            file.executemany("INSERT INTO gpkg_data_columns VALUES (?, ?, ?, ?, ?, NULL, ?)", _columns(layers))
            file.executemany(
                "INSERT INTO gpkg_data_column_constraints VALUES (?, 'enum', ?, NULL, NULL, NULL, NULL, ?)",
                _codes(domains, words),
            )
            file.executescript(STYLES)
            file.execute(
                "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change)"
                " VALUES ('layer_styles', 'attributes', 'layer_styles', '', ?)",
                (MOMENT,),
            )
            file.executemany(
                "INSERT INTO layer_styles VALUES (NULL, '', '', ?, 'geom', ?, ?, ?, ?, ?, '', NULL, ?)",
                [(layer, look.title, qml, sld, look.first, look.key, MOMENT) for layer, look, qml, sld in styles],
            )
    except sqlite3.Error as error:
        raise OSError(f"{path.name}: {error}") from error


def _columns(layers):
    for layer in layers:
        taken = set()
        for field in layer.fields:
            title = field.heading + (f" ({field.unit})" if field.unit else "")
            name = title if title not in taken else f"{title} {field.machine}"
            taken.add(name)
            about = " · ".join(part for part in (field.machine, field.nature, field.source) if part)
            yield layer.name, field.name, name, title, about, None if field.machine in SEVERAL else field.domain or None


def _codes(domains, words):
    side = 0 if words.lang == "zh" else 1
    return [(domain, code, meanings[side]) for domain, codes in domains.items() for code, meanings in codes.items()]


def write_geodatabase(layers, path):
    """Write layers as feature classes and tables of a file geodatabase, a folder. Raises OSError."""
    _write(
        layers, path, "OpenFileGDB", lambda layer: {"LAYER_ALIAS": layer.title, "DOCUMENTATION": _documentation(layer)}
    )


def _documentation(layer):
    """Return what is said of a layer as the metadata of the geodatabase's maker has it."""
    top = ElementTree.Element("metadata")
    about = ElementTree.SubElement(top, "dataIdInfo")
    title = ElementTree.SubElement(ElementTree.SubElement(about, "idCitation"), "resTitle")
    title.text = layer.title
    ElementTree.SubElement(about, "idAbs").text = layer.about
    return ElementTree.tostring(top, encoding="unicode")


@contextmanager
def _gdal_options():
    pyogrio.set_gdal_config_options(GDAL_OPTIONS)
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options(dict.fromkeys(GDAL_OPTIONS))


def _write(layers, path, driver, options):
    with _gdal_options():
        try:
            for number, layer in enumerate(layers):
                shape = {}
                if layer.geometry:
                    shape = {"geometry_type": layer.geometry, "promote_to_multi": layer.geometry.startswith("Multi")}
                named = {"GEOMETRY_NAME": "geom"} if layer.geometry and driver == "GPKG" else {}
                pyogrio.write_dataframe(
                    layer.frame,
                    path,
                    layer=layer.name,
                    driver=driver,
                    append=number > 0,
                    dataset_options=DATASET[driver] if number == 0 else None,
                    layer_options=options(layer) | named,
                    **shape,
                )
        except RuntimeError as error:  # pyogrio's own errors: a full disk must be told as one
            raise OSError(f"{path.name}: {error}") from error
