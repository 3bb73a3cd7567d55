"""The headline figures of a plan, worked out from its tables and the inputs."""

from planner.verify import centres

ALIKE = 1e-9  # relative: sums of decimals in another order


def check_figures(ledger, facts, plan, figures):
    """Check the person-kilometres of both choices of centres."""
    near, free = centres.documents_metres(facts), centres.free_catchments(facts, centres.free_centres(facts, plan))[0]
    expected = {
        "person_km_documents": centres.person_metres(facts, near) / 1000,
        "person_km_free": centres.person_metres(facts, free) / 1000,
    }
    for name in sorted(expected.keys() | figures.keys()):
        found, wanted = figures.get(name), expected.get(name)
        known = isinstance(found, int | float) and wanted is not None
        if not known or not abs(found - wanted) <= ALIKE * max(abs(wanted), 1.0):
            ledger.fail("figure", name=name, found=found, expected=wanted)
    return {"figures": len(expected)}
