"""Region folders for tests: a town small enough for paper, and copies of any folder with all rows shuffled."""

import random

import geopandas as gpd
import pandas as pd
import shapely

from geo.region import FILES, GEOGRAPHIC

HEADS = {
    "cities.csv": "code,name,name_en,document_order,seat_county_code",
    "counties.csv": "code,name,name_en,kind,city_code,persons,urban,rural,age_0_14,age_60_plus,age_65_plus,households,"
    "area_km2,seat_lon,seat_lat",
    "settlements.csv": "geonames_id,name,name_en,type,lon,lat,county_code,township_code,nbs_match,elevation_m",
    "townships.csv": "code,name,kind,county_code,nbs_area_code,residents_committees,village_committees,lon,lat,"
    "geonames_id",
    "sources.csv": "file,column,source,date,licence,nature,note",
}

# 112.0      112.2     112.4
#   +----------+----------+   38.2      S1, S2: seats     t: a town of 140101, 10 km east of its seat
#   | S1     t |    S2    |             140199 is a speck of 200 m in the corner of 140102, cut out of it
#   |          |        +-|
#   +----------+--------+-+   38.0
ROWS = {
    "cities.csv": ["140100,甲市,Jia,1,140101"],
    "counties.csv": [
        "140101,东县,Dong,county,140100,60000,40000,20000,9000,9000,6000,20000,390,112.05,38.1",
        "140102,西县,Xi,county,140100,5001,2000,3001,900,900,600,2000,390,112.3,38.1",
        "140199,点县,Dian,county,140100,7,3,4,1,1,1,2,0.04,112.399,38.001",
    ],
    "settlements.csv": ["1,东镇,Dongzhen,PPLA4,112.164,38.1,140101,140101101,exact,800"],
    "townships.csv": [
        "140101100,城关镇,town,140101,140101,6,10,,,",
        "140101101,东镇,town,140101,140101,2,20,112.164,38.1,1",
        "140102100,西镇,town,140102,140102,1,9,,,",
    ],
    "sources.csv": ["cities.csv,code,paper,2020,free,assumed,"],
}
SPECK = shapely.box(112.398, 38.0, 112.4, 38.002)
SHAPES = {
    "140101": shapely.box(112.0, 38.0, 112.2, 38.2),
    "140102": shapely.box(112.2, 38.0, 112.4, 38.2).difference(SPECK),
    "140199": SPECK,
}


def paper_region(folder):
    """Write the town of the drawing above into ``folder`` and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in ROWS.items():
        (folder / name).write_text("\n".join([HEADS[name], *rows]) + "\n", encoding="utf-8")
    names = [row.split(",")[1] for row in ROWS["counties.csv"]]
    write_layer(folder, "county", list(SHAPES), names, list(SHAPES.values()))
    whole = shapely.box(112.0, 38.0, 112.4, 38.2)
    write_layer(folder, "city", ["140100"], ["甲市"], [whole])
    write_layer(folder, "province", ["140000"], ["省"], [whole])
    return folder


def write_layer(folder, name, codes, names, shapes, crs=GEOGRAPHIC):
    """Write one layer of a region folder's boundaries; other layers stay."""
    frame = gpd.GeoDataFrame({"code": codes, "name": names}, geometry=shapes, crs=crs)
    frame.to_file(folder / "boundaries.gpkg", layer=name, driver="GPKG")


def shuffled(source, folder, seed):
    """Copy the region folder ``source`` to ``folder`` with the rows of every table and layer in another order."""
    folder.mkdir(parents=True)
    chance = random.Random(seed)
    for name in FILES:
        if not name.endswith(".csv"):
            continue
        head, *rows = (source / name).read_text(encoding="utf-8").splitlines()
        chance.shuffle(rows)
        (folder / name).write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    for layer in ("county", "city", "province"):
        frame = gpd.read_file(source / "boundaries.gpkg", layer=layer)
        frame = frame.iloc[chance.sample(range(len(frame)), len(frame))]
        frame.to_file(folder / "boundaries.gpkg", layer=layer, driver="GPKG")
    return folder


def edit(folder, name, old, new):
    """Replace ``old``, which must be there, by ``new`` in one file of ``folder``."""
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new), encoding="utf-8")


def census(folder):
    """Return the counties of a folder as plainly read: DataFrame on code, figures as int."""
    frame = pd.read_csv(folder / "counties.csv", dtype=str).set_index("code")
    return frame.astype(dict.fromkeys(("persons", "urban", "rural"), int))
