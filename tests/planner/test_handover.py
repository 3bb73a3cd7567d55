"""The GIS handover: both files hold the tables' values, fields and codes are explained, and it looks as the maps do."""

import re
import sqlite3
import subprocess
import time
import zipfile
from contextlib import closing
from dataclasses import replace
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pyogrio
import pytest
from pyproj import Transformer

from geo import theme
from geo.faults import Rejected
from geo.words import load_words
from planner.documents.gis import handed_layers, write_handover
from planner.documents.gis.coordinates import check_crs, fitting_zones
from planner.documents.gis.fields import LONGEST, RESERVED, fit_name
from planner.documents.gis.geofiles import write_geodatabase
from planner.documents.gis.qgis import qml_text
from planner.documents.gis.sld import sld_text
from planner.documents.gis.symbols import THEMES, looks_of
from planner.documents.source import Source
from planner.report.columns import ALL_TABLES, WORD
from planner.report.names import in_language
from planner.report.summary import summarise
from planner.report.tables import absent, cell_text, published
from tests.planner.small_plan import NAMES, small_plan

ZH, EN = load_words("zh"), load_words("en")
HOSTILE = {"140201": "<b>=1+1</b>\"'&]]>\u202e北县\x07"}
DEGREES = "EPSG:4490"
QGIS_PYTHON = "/usr/bin/python3"


def small_source(words=ZH, names=None, *, interim=False, against=None):
    plan, prepared = small_plan(names, interim=interim)
    plan.notes = ()
    whole = prepared.region.province.assign(code="140000", name="小省").set_index("code")
    prepared.region = replace(prepared.region, province=whole)
    tables, cleaned = published(plan.tables)
    plan.tables = tables
    return Source(
        plan=plan,
        prepared=prepared,
        said=in_language(tables, prepared, words),
        summary=summarise(plan, tables, prepared, words),
        checks=("sums agree",),
        cleaned=tuple(cleaned),
        fingerprint="0123456789abcdef",
        words=words,
        result=None,
        against=against,
    )


@pytest.fixture(scope="module")
def source():
    return small_source()


@pytest.fixture(scope="module")
def handed(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("handover")
    return parts(write_handover(source, folder))


def parts(paths):
    package, geodatabase, project, styles = paths
    assert all(path.exists() for path in paths)
    return SimpleNamespace(package=package, geodatabase=geodatabase, project=project, styles=styles)


def layers_of(path):
    return [name for name, _ in pyogrio.list_layers(path)]


def field_table(path, words=ZH):
    """The table of fields, under the machine's names of its columns."""
    name = "fields" if words.lang == "en" else words("handover.layer.fields")
    frame = pyogrio.read_dataframe(path, layer=name)
    columns = ("layer", "field", "machine", "heading", "unit", "nature", "type", "domain", "source")
    return frame.set_axis(columns, axis=1)


def domain_table(path):
    return pyogrio.read_dataframe(path, layer=ZH("handover.layer.domains")).set_axis(
        ("domain", "code", "meaning_zh", "meaning_en"), axis=1
    )


@pytest.mark.parametrize("kind", ["package", "geodatabase"])
def test_tables_read_back_as_their_csv_files(source, handed, kind):
    path = getattr(handed, kind)
    for layer in handed_layers(source, None, check_crs(DEGREES, source.region)):
        if layer.machine not in source.tables or layer.geometry:
            continue
        table, frame = ALL_TABLES[layer.machine], source.tables[layer.machine]
        back = pyogrio.read_dataframe(path, layer=layer.name)
        assert list(back.columns) == [field.name for field in layer.fields]
        assert len(back) == len(frame), layer.name
        for column, field in zip(table.columns, layer.fields, strict=True):
            decimals, form = table.decimals(column), table.kind(column)
            said = [[cell_text(form, v, decimals) for v in values] for values in (frame[column], back[field.name])]
            assert said[0] == said[1], (layer.name, column)
            if decimals == 0 and len(back) and not back[field.name].isna().any():
                assert np.issubdtype(back[field.name].dtype, np.integer), (layer.name, column)
            if decimals is None:
                assert not back[field.name].eq("").any(), "what is absent is NULL"


@pytest.mark.parametrize("kind", ["package", "geodatabase"])
def test_layers_hold_all_results_as_valid_shapes(source, handed, kind):
    path = getattr(handed, kind)
    for layer in (each for each in handed_layers(source, None, check_crs(DEGREES, source.region)) if each.geometry):
        back = pyogrio.read_dataframe(path, layer=layer.name)
        assert back.crs.to_epsg() == 4490
        assert len(back) == len(layer.frame) > 0
        assert back.is_valid.all() and not back.has_z.any()
        assert set(back.geom_type) == {layer.geometry}
        assert np.allclose(back.total_bounds, layer.frame.total_bounds, atol=1e-8)
    stations = pyogrio.read_dataframe(path, layer=ZH("handover.layer.stations"))
    assert np.allclose(stations.geometry.x, source.tables["stations"]["lon"], atol=1e-8)
    assert list(stations[ZH("column.name")]) == list(source.tables["stations"]["name"])


@pytest.mark.parametrize("kind", ["package", "geodatabase"])
def test_every_field_is_documented_and_fit(handed, kind):
    path = getattr(handed, kind)
    fields = field_table(path)
    for name in layers_of(path):
        if name == "layer_styles":
            continue
        info = pyogrio.read_info(path, layer=name)
        own = fields[fields["layer"].eq(name)]
        assert list(own["field"]) == list(info["fields"])
        for each in (name, *info["fields"]):
            assert re.fullmatch(r"[^\W\d_]\w*", each) and len(each) <= LONGEST, each
            assert each.lower() not in RESERVED
    assert not fields[["machine", "heading", "type"]].isna().any().any()
    numbers = fields["type"].isin([ZH("handover.kind.integer"), ZH("handover.kind.decimal")])
    assert fields.loc[numbers, "nature"].notna().all()
    assert fields.loc[numbers, "source"].notna().all()
    beds = fields[fields["layer"].eq(ZH("handover.layer.counties"))].set_index("machine")
    assert beds.at["beds_now", "nature"] == ZH("value.nature.modelled")
    assert beds.at["beds_plan", "unit"] == ZH("unit.beds_plan")


@pytest.mark.parametrize("words", [ZH, EN], ids=["zh", "en"])
def test_no_heading_needed_a_machine_name(words):
    layers = handed_layers(small_source(words), None, check_crs(DEGREES, small_source().region))
    assert len({layer.name.lower() for layer in layers}) == len(layers)
    for layer in layers:
        names = [field.name for field in layer.fields]
        assert len({name.lower() for name in names}) == len(names)
        if words.lang == "zh":
            assert not [name for name in names if re.search("[a-z]", name)], layer.name
        else:
            assert all(name.isascii() for name in (layer.name, *names))


def test_every_code_has_its_meaning(source, handed):
    domains = domain_table(handed.package)
    assert domains.equals(domain_table(handed.geodatabase))
    known = set(zip(domains["domain"], domains["code"], strict=True))
    fields = field_table(handed.package)
    coded = fields[fields["domain"].notna()]
    for row in coded.itertuples():
        values = pyogrio.read_dataframe(handed.package, layer=row.layer, read_geometry=False)[row.field].dropna()
        for value in values.unique():
            for code in str(value).split(" ") if row.machine == "reasons" else [str(value)]:
                assert (row.domain, code) in known, (row.layer, row.field, code)
    words = {
        c for name, table in ALL_TABLES.items() if name in source.tables for c in table.columns if table.kind(c) == WORD
    }
    assert words <= set(coded["machine"])
    row = domains[domains["domain"].eq("setting") & domains["code"].eq("urban")].iloc[0]
    assert (row["meaning_zh"], row["meaning_en"]) == (ZH("value.setting.urban"), EN("value.setting.urban"))


def test_the_geopackage_explains_itself(source, handed):
    fields = field_table(handed.package)
    with closing(sqlite3.connect(handed.package)) as file:
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert file.execute("PRAGMA foreign_key_check").fetchall() == []
        columns = file.execute("SELECT table_name, column_name, constraint_name FROM gpkg_data_columns").fetchall()
        codes = file.execute("SELECT DISTINCT constraint_name FROM gpkg_data_column_constraints").fetchall()
        extensions = file.execute("SELECT table_name FROM gpkg_extensions WHERE extension_name = 'gpkg_schema'")
        assert len(extensions.fetchall()) == 2
        styles = file.execute("SELECT f_table_name, styleQML, styleSLD, useAsDefault FROM layer_styles").fetchall()
    assert {row[:2] for row in columns} == set(zip(fields["layer"], fields["field"], strict=True))
    assert {row[2] for row in columns} - {None} <= {code for (code,) in codes}
    first = [row[0] for row in styles if row[3]]
    assert len(first) == len(set(first)) == 8
    assert set(first) <= set(layers_of(handed.package))


def test_metadata_says_what_it_is(source, handed):
    for path in (handed.package, handed.geodatabase):
        rows = pyogrio.read_dataframe(path, layer=ZH("handover.layer.metadata"))
        said = rows.groupby(ZH("handover.column.item"))[ZH("handover.column.content")].apply(list).to_dict()
        assert said[ZH("handover.item.fingerprint")] == [source.fingerprint]
        assert "EPSG:4490" in said[ZH("handover.item.system")][0]
        assert said[ZH("handover.item.review")] == [ZH("series.review_none")]
        assert said[ZH("handover.item.boundaries")] == [ZH("handover.boundaries")]
        assert said[ZH("handover.item.source")] == source.summary.sources
        assert ZH("handover.item.interim") not in said


@pytest.fixture(scope="module")
def awkward():
    """A plan that is not proven, with a name no one should have."""
    return small_source(names=HOSTILE, interim=True)


@pytest.fixture(scope="module")
def awkward_handed(awkward, tmp_path_factory):
    return parts(write_handover(awkward, tmp_path_factory.mktemp("awkward")))


def test_an_interim_plan_says_so_everywhere(awkward, awkward_handed):
    interim = awkward.summary.interim
    assert interim
    with closing(sqlite3.connect(awkward_handed.package)) as file:
        about = file.execute("SELECT description FROM gpkg_contents WHERE table_name <> 'layer_styles'").fetchall()
    assert all(interim in text for (text,) in about)
    assert interim in project(awkward_handed).findtext("title")
    rows = pyogrio.read_dataframe(awkward_handed.geodatabase, layer=ZH("handover.layer.metadata"))
    assert rows.iloc[0, 1] == interim


def test_hostile_names_come_out_as_text(awkward, awkward_handed):
    expected = awkward.tables["beds_by_county"].set_index("code").at["140201", "name"]
    assert "\x07" not in expected and "<b>" in expected
    for path in (awkward_handed.package, awkward_handed.geodatabase):
        counties = pyogrio.read_dataframe(path, layer=ZH("handover.layer.counties")).set_index(ZH("column.code"))
        assert counties.at["140201", ZH("column.name")] == expected
        rows = pyogrio.read_dataframe(path, layer=ZH("handover.layer.metadata"))
        assert rows.iloc[:, 0].eq(ZH("handover.item.cleaned")).sum() == len(awkward.cleaned) > 0


def seat_in(source, crs):
    """(east, north) of the first county's seat, after pyproj."""
    lon, lat = source.region.counties.loc["140101", ["seat_lon", "seat_lat"]]
    north, east = Transformer.from_crs(DEGREES, crs).transform(lat, lon)  # as EPSG has the axes
    return east, north


def test_seats_stand_where_pyproj_puts_them(source, tmp_path):
    handed = parts(write_handover(source, tmp_path, crs="EPSG:4546"))
    east, north = seat_in(source, "EPSG:4546")
    for path in (handed.package, handed.geodatabase):
        stations = pyogrio.read_dataframe(path, layer=ZH("handover.layer.stations"))
        assert stations.crs.to_epsg() == 4546
        at = stations[stations[ZH("column.id")].eq("S140101")].geometry.iloc[0]
        assert abs(at.x - east) < 1 and abs(at.y - north) < 1
        assert 400_000 < at.x < 800_000 and 4_000_000 < at.y < 4_300_000
        assert stations[ZH("column.lon")].between(111, 114).all(), "the columns stay degrees"
    assert project(handed).findtext("projectCrs/spatialrefsys/authid") == "EPSG:4546"


def test_a_prefix_stands_before_the_east(source):
    layers = handed_layers(source, None, check_crs("EPSG:4525", source.region))
    stations = next(layer.frame for layer in layers if layer.machine == "stations" and layer.geometry)
    at = stations[stations[ZH("column.id")].eq("S140101")].geometry.iloc[0]
    assert np.allclose((at.x, at.y), seat_in(source, "EPSG:4525"), atol=1)
    assert 37_400_000 < at.x < 37_800_000 and 4_000_000 < at.y < 4_300_000
    said = next(layer.frame for layer in layers if layer.machine == "metadata").iloc[:, 1]
    assert said.eq(ZH("handover.axes_prefixed")).any()


@pytest.mark.parametrize(
    "crs", ["EPSG:4326", "EPSG:4534", "EPSG:4554", "EPSG:4479", "EPSG:4480", "4546 ", "nonsense", ""]
)
def test_a_crs_that_does_not_fit_is_refused(source, tmp_path, crs):
    if crs.strip() == "4546":
        crs = "EPSG:32649"
    with pytest.raises(Rejected) as refused:
        write_handover(source, tmp_path, crs=crs)
    (fault,) = refused.value.faults
    said = fault.tell(ZH)
    assert (
        "EPSG:4490" in said
        and "EPSG:4546" in said
        and "EPSG:4525" in said
        and "EPSG:4526" not in said.split("EPSG:4525")[0]
    )
    assert list(tmp_path.iterdir()) == []
    assert fault.tell(EN).isprintable()


def test_zones_in_order_of_what_they_hold():
    assert fitting_zones((110.2, 34.5, 114.6, 40.8)) == (4546, 4525, 4547, 4526)


def test_the_same_bytes_at_any_time(source, handed, tmp_path):
    time.sleep(1.1)
    (tmp_path / handed.geodatabase.name).mkdir()
    (tmp_path / handed.geodatabase.name / "of_old.gdbtable").touch()
    again = parts(write_handover(source, tmp_path))
    for one, other in zip(vars(handed).values(), vars(again).values(), strict=True):
        files = sorted(one.rglob("*")) if one.is_dir() else [one]
        same = sorted(other.rglob("*")) if other.is_dir() else [other]
        assert [file.name for file in files] == [file.name for file in same]
        assert all(a.read_bytes() == b.read_bytes() for a, b in zip(files, same, strict=True)), one.name
    assert len(list(tmp_path.iterdir())) == len(vars(handed)), "nothing is left over"


def project(handed):
    with zipfile.ZipFile(handed.project) as file:
        (member,) = file.infolist()
        assert member.date_time == (1980, 1, 1, 0, 0, 0)
        assert member.filename == f"{handed.project.stem}.qgs"
        return ElementTree.fromstring(file.read(member))


def test_the_project_finds_its_layers(handed):
    top = project(handed)
    assert top.findtext("properties/Paths/Absolute") == "false"
    listed = {layer.findtext("id"): layer for layer in top.iterfind("projectlayers/maplayer")}
    assert all(len(identity) > 10 for identity in listed), "QGIS takes no shorter ones"
    there = set(layers_of(handed.package))
    for layer in listed.values():
        file, _, name = layer.findtext("datasource").partition("|layername=")
        assert file == f"./{handed.package.name}" and (handed.project.parent / file).is_file()
        assert name in there
    leaves = {leaf.get("id") for leaf in top.iter("layer-tree-layer")}
    assert leaves == set(listed)
    for preset in top.iter("visibility-preset"):
        assert {layer.get("id") for layer in preset} <= leaves
    assert ZH("series.beds_plan_title") in {preset.get("name") for preset in top.iter("visibility-preset")}


CLASSED = {
    "beds_plan": theme.BEDS_PER_1000,
    "beds_now": theme.BEDS_PER_1000,
    "beds_change": theme.BEDS_CHANGE,
    "access": theme.REACH_PER_1000,
    "difference": theme.BEDS_CHANGE,
}


def test_styles_have_the_breaks_and_colours_of_the_maps(source):
    compared = replace(source, against=small_source())
    layers = handed_layers(compared, None, check_crs(DEGREES, source.region))
    results = {layer.machine: layer for layer in layers if layer.geometry}
    looks = {look.key: look for look in looks_of(compared, results)}
    assert set(THEMES) <= set(looks)
    se, ogc = "{http://www.opengis.net/se}", "{http://www.opengis.net/ogc}"
    for key, breaks in CLASSED.items():
        qml = ElementTree.fromstring(qml_text(looks[key], results["counties"], {}, ZH))
        rules = qml.findall("renderer-v2/rules/rule")
        expected = theme.diverging if min(breaks) < 0 else theme.sequential
        colours = [*expected(len(breaks) + 1), theme.NO_DATA]
        assert [rule.get("label") for rule in rules[:-1]] == theme.class_labels(breaks, signed=min(breaks) < 0)
        found = [float(re.search(r">= (\S+)", rule.get("filter"))[1]) for rule in rules[1:-1]]
        assert found == list(breaks)
        assert rules[-1].get("filter").endswith("IS NULL")
        fills = [
            layer.find("Option/Option[@name='color']").get("value") for layer in qml.iterfind(".//symbol/layer[1]")
        ]
        assert fills == [",".join(str(int(c[i : i + 2], 16)) for i in (1, 3, 5)) + ",255" for c in colours]
        sld = ElementTree.fromstring(sld_text(looks[key], results["counties"]).partition("\n")[2])
        low = [test.findtext(f"{ogc}Literal") for test in sld.iter(f"{ogc}PropertyIsGreaterThanOrEqualTo")]
        assert [float(value) for value in low] == list(breaks)
        fills = [fill.findtext(f"{se}SvgParameter[@name='fill']") for fill in sld.iter(f"{se}Fill")]
        assert fills == colours


def test_every_look_has_both_kinds_of_style_files(handed):
    assert len(list(handed.styles.glob("*.qml"))) == len(list(handed.styles.glob("*.sld"))) > 15
    for file in handed.styles.iterdir():
        ElementTree.parse(file)


def test_a_city_alone(source, tmp_path):
    handed = parts(write_handover(source, tmp_path, city="140100"))
    assert handed.package.name.startswith("140100" + NAMES["140100"])
    read = {
        machine: pyogrio.read_dataframe(handed.package, layer=ZH(f"handover.layer.{machine}"))
        for machine in ("cities", "counties", "stations", "demand", "coverage_circles", "catchments")
    }
    assert list(read["cities"][ZH("column.code")]) == ["140100"]
    assert set(read["counties"][ZH("column.code")]) == {"140101", "140102"}
    assert set(read["stations"][ZH("column.city_code")]) == {"140100"}
    assert set(read["demand"][ZH("column.county_code")]) == {"140101", "140102"}
    outline = read["cities"].geometry.iloc[0].buffer(1e-9)
    assert read["coverage_circles"].within(outline).all() and read["catchments"].within(outline).all()
    assert read["coverage_circles"].is_valid.all()
    people = source.region.counties["persons"]
    assert read["catchments"][ZH("column.persons")].sum() == people[["140101", "140102"]].sum()
    tables = {name for name in layers_of(handed.package) if name.startswith("表")}
    assert tables and all("曲线" not in name for name in tables)
    rows = pyogrio.read_dataframe(handed.geodatabase, layer=ZH("handover.layer.metadata"))
    assert ZH("handover.item.left_out") in set(rows.iloc[:, 0])
    with pytest.raises(Rejected):
        write_handover(source, tmp_path, city="149900")


def test_english_changes_no_number(handed, tmp_path):
    english, path = small_source(EN), tmp_path / "results.gdb"
    layers = handed_layers(english, None, check_crs(DEGREES, english.region))
    write_geodatabase(layers, path)
    ours, theirs = (
        pyogrio.read_dataframe(file, layer=name, read_geometry=False)
        for file, name in ((handed.geodatabase, ZH("handover.layer.counties")), (path, "counties"))
    )
    numbers = [(a, b) for a, b in zip(ours, theirs, strict=True) if pd.api.types.is_numeric_dtype(ours[a])]
    assert numbers and all(ours[a].equals(theirs[b].rename(a)) for a, b in numbers)
    for layer in layers:
        assert list(pyogrio.read_info(path, layer=layer.name)["fields"]) == [field.name for field in layer.fields]
    assert set(field_table(path, EN)["layer"]) >= {"counties", "table_beds_by_city", "fields"}


def test_a_field_name_is_fit():
    assert fit_name("县（市、区）数") == "县市区数"
    assert fit_name("05 表<b>") == "F05表b"
    assert len(fit_name("长" * 99)) <= LONGEST
    assert absent(None)


LOOK = """
import sys
from qgis.core import QgsApplication, QgsProject, QgsVectorLayer
app = QgsApplication([], False)
app.initQgis()
project = QgsProject.instance()
assert project.read(sys.argv[1])
assert project.crs().authid() == "EPSG:4546", project.crs().authid()
layers = project.mapLayers()
for name, layer in layers.items():
    assert name.startswith("jinyi_") and layer.isValid(), name
    if layer.isSpatial():
        assert layer.renderer().type() == "RuleRenderer" and layer.featureCount() >= 0
assert len(project.mapThemeCollection().mapThemes()) >= 9
import pathlib
for file in pathlib.Path(sys.argv[2]).iterdir():
    source = next(l.source() for l in layers.values() if l.source().endswith("layername=" + file.name.split("_")[0]))
    layer = QgsVectorLayer(source, "x", "ogr")
    assert layer.isValid()
    load = layer.loadNamedStyle if file.suffix == ".qml" else layer.loadSldStyle
    answer = load(str(file))
    assert answer[1] is True or answer[0] is True, (file, answer)
layer = QgsVectorLayer(sys.argv[3] + "|layername=" + sys.argv[4], "x", "ogr")
assert layer.renderer().type() == "RuleRenderer", "opens with its style"
print("all is well", len(layers), flush=True)
import os
os._exit(0)  # QGIS is not always tidy when it goes
"""


@pytest.mark.thorough
def test_qgis_opens_it(source, handed):
    try:
        found = subprocess.run([QGIS_PYTHON, "-c", "import qgis.core"], capture_output=True, check=False).returncode
    except OSError:
        found = 1
    if found:
        pytest.skip("no QGIS here")
    about = [handed.project, handed.styles, handed.package, ZH("handover.layer.counties")]
    done = subprocess.run(
        [QGIS_PYTHON, "-c", LOOK, *map(str, about)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={
            "QT_QPA_PLATFORM": "offscreen",
            "PATH": "/usr/bin:/bin",
            "LC_ALL": "C.UTF-8",
            "HOME": str(handed.project.parent),
        },
    )
    assert "all is well" in done.stdout, done.stderr[-2000:]
