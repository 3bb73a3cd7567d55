"""What a run writes: one folder with tables, workbook, layers, maps and manifest, replaced as a whole or not at all."""

import importlib

_WHERE = {
    "OutRefused": "planner.report.folder",
    "VerificationFailed": "planner.report.outputs",
    "check_out": "planner.report.folder",
    "map_view": "planner.report.view",
    "recover": "planner.report.folder",
    "write_outputs": "planner.report.outputs",
}
__all__ = sorted(_WHERE)


def __getattr__(name):
    """Return what this package offers, loaded when asked for: the page's columns and sentences need no drawing."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_WHERE[name]), name)
