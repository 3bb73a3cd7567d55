"""In which coordinates a handover may stand: CGCS2000 degrees, or a Gauss-Krueger zone of it that fits the region."""

from functools import cache

from pyproj import CRS
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_crs_info
from pyproj.exceptions import CRSError

from geo.faults import Fault, Rejected
from geo.region import GEOGRAPHIC

DATUM = "China 2000"  # as EPSG calls CGCS2000
NARROW = "3-degree"  # how EPSG names the zones that plans are handed over in
PREFIXED = "zone"  # in the name of a zone whose eastings begin with its number


def check_crs(crs, region):
    """Return the :class:`pyproj.CRS` of an EPSG code such as "EPSG:4546".

    Raises :class:`geo.faults.Rejected` (``handover_crs``) for what is no CGCS2000 system of two axes, and for a zone
    whose strip the region does not touch; the message names those that fit.
    """
    try:
        found = CRS.from_user_input(crs)
    except CRSError:
        found = None
    bounds = tuple(float(edge) for edge in region.province.total_bounds)
    if found is None or not _fits(found, bounds):
        fitting = "、".join((GEOGRAPHIC, *(f"EPSG:{code}" for code in fitting_zones(bounds))))
        raise Rejected([Fault("handover_crs", value=str(crs), params={"fitting": fitting})])
    return found


def _fits(crs, bounds):
    if crs.to_authority() is None or crs.to_authority()[0] != "EPSG":
        return False
    if len(crs.axis_info) != 2 or crs.is_geocentric or crs.geodetic_crs.datum.name != DATUM:  # noqa: PLR2004 - a plane
        return False
    return _shared(crs.area_of_use.bounds, bounds) > 0


def _shared(strip, bounds):
    """Return how many degrees of longitude a strip has in common with bounds; 0 where they lie apart."""
    south, north = max(strip[1], bounds[1]), min(strip[3], bounds[3])
    return max(min(strip[2], bounds[2]) - max(strip[0], bounds[0]), 0.0) if south < north else 0.0


@cache
def fitting_zones(bounds):
    """Return EPSG codes of the 3-degree zones that bounds (west, south, east, north) touch, the most of it first.

    Of one strip the code without a prefix stands before that with one.
    """
    found = query_crs_info(auth_name="EPSG", area_of_interest=AreaOfInterest(*bounds))
    zones = [info for info in found if info.name.startswith("CGCS2000") and NARROW in info.name]
    order = [(-_shared(zone.area_of_use.bounds, bounds), is_prefixed(zone.name), zone.code) for zone in zones]
    return tuple(int(code) for *_, code in sorted(order))


def is_prefixed(name):
    """Return whether eastings of the system with this EPSG name begin with the number of the zone."""
    return f" {PREFIXED} " in name


def display_crs(crs, bounds):
    """Return in which system maps are drawn: ``crs`` itself, or the best zone where it is degrees (true shapes)."""
    return CRS.from_epsg(fitting_zones(bounds)[0]) if crs.is_geographic and fitting_zones(bounds) else crs
