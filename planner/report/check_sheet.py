"""How the sheet that is checked by hand is laid out: how many rows agree, the inputs, then a block for each formula."""

from geo.theme import ACCENT, ALARM, GROUND, INK, LINE_COUNTY, MARKS, QUIET
from planner.report.sheet_parts import display_width, lines_needed, page
from planner.report.worksheet import AGREES, DIFFERS, FIRST_INPUT, NUMBER, TOP_ROW

WIDTHS = (10, 19, 31, 15, 15, 9, 6)  # code, place, what, worked out, the plan's, difference, sign
LAST = len(WIDTHS) - 1
SMALL_WIDE = sum(WIDTHS) * 10 / 9  # narrow characters of small type across the sheet
FORMATS = {"whole": "#,##0", "density": "#,##0.00", "percent": "#,##0.0", "km": "#,##0.0"}
INPUT_GROUND = "#FEF9C3"  # the only cells of the sheet that are not worked out from others
ROW, TEXT_ROW = 15, 13  # points


def write_hand_check(sheet, checked, summary, styles, words):
    """Write a :class:`planner.report.worksheet.HandCheck`; every formula with the value it has here."""
    for i, width in enumerate(WIDTHS):
        sheet.set_column(i, i, width)
    sheet.hide_gridlines(2)
    page(sheet, summary, words)
    note = "\n".join(part for part in (summary.interim, words("worksheet.note")) if part)
    sheet.merge_range(0, 0, 0, LAST, words("worksheet.title"), styles(bold=True, font_size=15))
    about = styles(font_size=9, font_color=ALARM if summary.interim else QUIET, text_wrap=True, valign="top")
    sheet.merge_range(1, 0, 1, LAST, note, about)
    sheet.set_row(0, 28)
    sheet.set_row(1, TEXT_ROW * lines_needed(note, SMALL_WIDE) + 4)
    _heads(sheet, 2, words("worksheet.in_all"), ("agree", "rows", "differ", ""), styles, words)
    row = _inputs(sheet, FIRST_INPUT - 3, checked.inputs, styles, words)
    first = row + 1
    for section in checked.sections:
        row = _section(sheet, row, section, styles, words)
    _top(sheet, checked, first, row, styles)
    differs = {"type": "cell", "criteria": "==", "value": f'"{DIFFERS}"', "format": styles(font_color=ALARM, bold=True)}
    sheet.conditional_format(TOP_ROW - 1, LAST, max(row - 1, TOP_ROW), LAST, differs)
    sheet.freeze_panes(TOP_ROW, 0)
    sheet.repeat_rows(0)
    sheet.print_area(0, 0, max(row - 1, TOP_ROW), LAST)


def _heads(sheet, row, title, heads, styles, words):
    sheet.merge_range(row, 0, row, 2, title, styles(bold=True, bottom=1, bottom_color=INK, font_color=ACCENT))
    quiet = styles(font_size=9, font_color=QUIET, align="right", bottom=1, bottom_color=INK)
    for i, head in enumerate(heads, start=3):
        sheet.write_string(row, i, words(f"worksheet.{head}") if head else "", quiet)
    sheet.set_row(row, ROW + 3)


def _top(sheet, checked, first, last, styles):
    """Write how many rows agree, of all there are."""
    number = styles(bold=True, font_size=12, align="right", num_format=FORMATS["whole"])
    agree = sum(_difference(row) == 0 for row in checked.rows)
    signs, row = f"$G${first}:$G${last}", TOP_ROW - 1
    sheet.write_formula(row, 3, f'=COUNTIF({signs},"{AGREES}")', number, agree)
    sheet.write_number(row, 4, len(checked.rows), number)
    sheet.write_formula(row, 5, f"=E{TOP_ROW}-D{TOP_ROW}", number, len(checked.rows) - agree)
    _sign(sheet, row, len(checked.rows) - agree, styles)
    sheet.set_row(row, ROW + 5)


def _inputs(sheet, row, inputs, styles, words):
    sheet.set_row(row - 1, 6)
    sheet.merge_range(row, 0, row, LAST, words("worksheet.inputs"), styles(bold=True, font_color=ACCENT))
    quiet = {"font_size": 9, "font_color": QUIET, "bottom": 1, "bottom_color": INK}
    for i, head in enumerate(("code", "place", "figure", "value")):
        side = {"align": "right"} if head == "value" else {"indent": 1}
        sheet.write_string(row + 1, i, words(f"worksheet.{head}"), styles(**quiet, **side))
    sheet.merge_range(row + 1, 4, row + 1, LAST, words("worksheet.source"), styles(**quiet, indent=1))
    line = {"bottom": 1, "bottom_color": LINE_COUNTY}
    for at, each in enumerate(inputs, start=row + 2):
        said = words(f"report.setting.{each.key}")
        assumed = MARKS["assumed"] if each.source.endswith(MARKS["assumed"]) else ""
        for i, text in enumerate((each.code, each.place, said + assumed)):
            sheet.write_string(at, i, text, styles(**line, indent=1, text_wrap=i > 0, num_format="@"))
        places = f"{each.value:.6f}".rstrip("0").partition(".")[2]
        form = f"{FORMATS['whole']}.{places and '0' * len(places)}".rstrip(".")
        sheet.write_number(at, 3, each.value, styles(**line, align="right", bg_color=INPUT_GROUND, num_format=form))
        sheet.merge_range(at, 4, at, LAST, "", styles(**line, indent=1, font_size=9))
        sheet.write_string(at, 4, each.source, styles(**line, indent=1, font_size=9))
        _tall(sheet, at, (each.code, each.place, said))
    return row + 2 + len(inputs)


def _section(sheet, row, section, styles, words):
    """Write one block; return the row after it."""
    sheet.set_row(row, 8)
    _heads(
        sheet, row + 1, words(f"worksheet.section.{section.key}"), ("formula", "plan", "difference", ""), styles, words
    )
    how = words(f"worksheet.how.{section.key}")
    if section.source:
        how += words("worksheet.by", source=section.source)
    quiet = styles(font_size=9, font_color=QUIET, text_wrap=True, valign="top", bg_color=GROUND)
    sheet.merge_range(row + 2, 0, row + 2, LAST, how, quiet)
    sheet.set_row(row + 2, TEXT_ROW * lines_needed(how, SMALL_WIDE) + 3)
    for at, each in enumerate(section.rows, start=row + 3):
        _row(sheet, at, each, styles)
    return row + 3 + len(section.rows)


def _row(sheet, row, each, styles):
    at = row + 1  # as Excel counts
    line = {"bottom": 1, "bottom_color": LINE_COUNTY}
    for i, text in enumerate((each.code, each.place, each.said)):
        sheet.write_string(row, i, text, styles(**line, indent=1, text_wrap=i > 0, num_format="@"))
    form = FORMATS[each.kind]
    number = styles(**line, align="right", num_format=form, italic=each.said.endswith(MARKS["modelled"]))
    cells = {"code": f"$A{at}", "place": f"$B{at}"}
    sheet.write_formula(row, 3, "=" + each.formula.format_map(cells), number, each.value)
    if each.plan is None:
        sheet.write_number(row, 4, each.plan_value, number)
    else:
        sheet.write_formula(row, 4, "=" + each.plan.format_map(cells), number, each.plan_value)
    off = styles(**line, align="right", num_format=f"+{form};-{form};0", font_color=QUIET)
    sheet.write_formula(row, 5, f"=ROUND({NUMBER}{at}-E{at},4)", off, _difference(each))
    _sign(sheet, row, _difference(each), styles, **line)
    _tall(sheet, row, (each.code, each.place, each.said))


def _sign(sheet, row, difference, styles, **line):
    sign = styles(**line, align="center", font_color=ACCENT)
    sheet.write_formula(row, LAST, f'=IF(F{row + 1}=0,"{AGREES}","{DIFFERS}")', sign, DIFFERS if difference else AGREES)


def _difference(row):
    """Return what is worked out less what the plan says; decimals beyond the fourth are the computer's own."""
    return round(row.value - row.plan_value, 4)


def _tall(sheet, row, texts):
    tall = max(
        lines_needed(text, width - 2) if display_width(text) > width - 2 else 1
        for text, width in zip(texts, WIDTHS, strict=False)
    )
    if tall > 1:
        sheet.set_row(row, ROW * tall)
