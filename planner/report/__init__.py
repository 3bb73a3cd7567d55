"""What a run writes: one folder with tables, workbook, layers, maps and manifest, replaced as a whole or not at all."""

from planner.report.folder import OutRefused, check_out, recover
from planner.report.outputs import VerificationFailed, write_outputs
from planner.report.view import map_view

__all__ = ["OutRefused", "VerificationFailed", "check_out", "map_view", "recover", "write_outputs"]
