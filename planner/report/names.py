"""Place names in the reader's language; the files' tables keep the official Chinese names."""

from geo.sites import known_places

NAMED_BY = (
    ("code", "name"),
    ("area_code", "area"),
    ("county_code", "county"),
    ("worst_code", "worst_county"),
    ("id", "name"),
)
OF_FACILITIES = ("facilities", "freezes")  # their ids are the facility table's own, not those of sites


def in_language(tables, prepared, words):
    """Return ``tables`` with place names in the language of ``words``: unchanged in Chinese, romanised in English."""
    if words.lang == "zh":
        return tables
    region = prepared.region
    names = place_names(region, words)
    places = known_places(region).set_index("name")["name_en"].to_dict()
    by_id = prepared.sites["name_en"].to_dict()
    renamed = {}
    for table, frame in tables.items():
        frame = frame.copy()
        for key, column in NAMED_BY:
            if key in frame and column in frame:
                known = by_id if key == "id" and table not in OF_FACILITIES else names
                frame[column] = frame[key].map(known).fillna(frame[column])
        if "place" in frame:
            frame["place"] = frame["place"].map(places).fillna(frame["place"])
        if table in ("centres", "centres_free"):
            key = "county_code" if "county_code" in frame else "city_code"
            frame["name"] = frame[key].map(names).fillna(frame["name"])
        renamed[table] = frame
    return renamed


def place_names(region, words):
    """Return {code: name} of cities, counties and the province, in the language of ``words``."""
    column = "name" if words.lang == "zh" else "name_en"
    province = region.province["name"].to_dict()
    if words.lang != "zh":
        province = dict.fromkeys(province, words("report.whole_province"))
    return region.cities[column].to_dict() | region.counties[column].to_dict() | province
