"""The command line: the commands that ask and show. Words come from the catalogue, exit codes from what went wrong.

Exit codes: 0 verified plan saved; 2 command or scenario wrong; 3 data rejected; 4 infeasible, explained; 5 limit or
cancel with a verified interim plan; 6 cancelled before there was a plan; 7 verification failed, nothing published;
8 could not write.
"""

import argparse
import difflib
import os
import re
import signal
import sys
import threading
from collections import Counter
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from geo.faults import Rejected
from geo.words import LANGUAGES, load_words
from planner.console import Progress, folded, table_lines
from planner.scenario import printable

COMMANDS = ("run", "check", "compare", "coverage", "simulate", "verify", "export", "standards", "app")
UNEXPECTED, WRONG, INTERIM, NO_PLAN, NOT_VERIFIED, NOT_WRITTEN = 1, 2, 5, 6, 7, 8
SIGNS = {">=": "≥ ", "<=": "≤ ", "~": "≈ "}
FAILURES_TOLD = 30  # of each part of a plan; a broken table would otherwise print a line a cell
HELP_WIDTH, HELP_INDENT = 100, 17  # terminal cells of a line, and before what an option means
NAME_PART = 24  # characters of either name in the folder of a comparison; a folder's name has its limits
FIRST_PORT, PORTS_TRIED = 8501, 20


def main(argv=None):
    """Run the command line on ``argv`` (default: the program's own) and return its exit code."""
    argv = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # an old terminal shows "?" for a sign it lacks
    words = load_words("zh")
    try:
        words = load_words(_language(argv))
        asked = _parser(words).parse_args(argv or ["--help"])
        return _HANDLERS[asked.command](asked, words)
    except HelpAsked as asked:
        _say(asked.text)
        return 0
    except KeyboardInterrupt:
        _warn("\n" + words("cli.stopped"))
        return NO_PLAN
    except Exception as error:
        if os.environ.get("JINYI_DEBUG"):
            raise
        return _refused(error, words)


# -- commands --------------------------------------------------------------------------------------------------------


def run(asked, words):
    """Run a scenario, publish its plan and show it; the exit code says how good the plan is."""
    from planner.scenario import load_scenario

    scenario = load_scenario(asked.scenario)
    out = _usual_out(scenario) if asked.out is None else Path(asked.out)
    plan, prepared, manifest = _planned(scenario, out, words)
    _say(*_plan_lines(plan, prepared, manifest, out, words))
    stopped = any(proof.status in ("interim", "no_plan") for proof in plan.proofs.values())
    return INTERIM if stopped else 0


def _usual_out(scenario):
    return Path("out", scenario.name)


def _planned(scenario, out, words):
    """Return (plan, what it was prepared from, manifest) of a scenario, run and published in ``out``."""
    from planner.report import check_out, write_outputs
    from planner.study import decide, prepare

    progress = Progress(words)
    with _writing(out):
        check_out(out)
    try:
        prepared = prepare(scenario, progress)
        with _cancel_on_signal(words, progress) as cancel:
            plan = decide(prepared, scenario, progress, cancel)
            with _writing(out):
                manifest = write_outputs(plan, prepared, out, words, progress)
    finally:
        progress.clear()
    return plan, prepared, manifest


def compare(asked, words):
    """Compare two results, or what two scenarios give; show, and write, the differences."""
    from geo.region import load_region
    from planner.compare import check_comparison_out, summarise_comparison, write_comparison
    from planner.compare import compare as compared
    from planner.standards import load_standards
    from planner.telling import comparison_lines

    sides = [_side(argument, words) for argument in (asked.first, asked.second)]
    folders = [out for out, _ in sides]
    questions = [scenario for _, scenario in sides]
    if None not in questions and folders[0] == folders[1] and questions[0].as_dict() != questions[1].as_dict():
        raise CommandWrong("compare_same_name", "jinyi compare", name=questions[0].name)
    if asked.out is not None:
        with _writing(Path(asked.out)):
            check_comparison_out(asked.out, folders)
    first, second = (
        _result(words(f"column.{side}"), *each, words) for side, each in zip(("first", "second"), sides, strict=True)
    )
    tables = compared(first, second)
    names = (each.scenario.name[:NAME_PART] for each in (first, second))
    out = Path("out", "-".join(names)) if asked.out is None else Path(asked.out)
    region, standards = load_region(first.scenario.region), load_standards()
    summary = summarise_comparison(first, second, tables, region, standards, words)
    with _writing(out):
        manifest = write_comparison(first, second, tables, summary, region, out, words)
    _say("", *comparison_lines(first, second, tables, summary, region, words))
    _say(*_comparison_files(manifest, out, words))
    return INTERIM if first.stopped or second.stopped else 0


def _side(argument, words):
    """Return (folder, scenario) of one side of a comparison; the scenario is None where a result folder is named."""
    from planner.report import recover
    from planner.scenario import load_scenario

    path = Path(argument)
    try:
        if not path.exists() and recover(path):
            _warn(words("cli.recovered"))
        is_folder = path.is_dir()
    except (OSError, ValueError):  # a name too long for the system
        is_folder = False
    if is_folder:
        return path, None
    scenario = load_scenario(argument)
    return _usual_out(scenario), scenario


def _result(side, out, scenario, words):
    """Return the :class:`planner.compare.Result` of one side; a scenario is run unless ``out`` answers it already."""
    from geo.region import load_region
    from planner.compare import read_result, up_to_date
    from planner.standards import load_standards

    said = printable(str(out))
    if scenario is None:
        result = read_result(out)
        _say(words("compare.read", side=side, out=said))
        return result
    known = up_to_date(out, scenario, load_region(scenario.region), load_standards())
    if known is not None:
        _say(words("compare.reused", side=side, out=said))
        return known
    _say(words("compare.running", side=side, name=scenario.name))
    _planned(scenario, out, words)
    _say(words("compare.ran", side=side, out=said))
    return read_result(out)


def check(asked, words):
    """Show what would be run, every setting with its basis, and every fault; solve nothing."""
    from geo.faults import ScenarioRejected
    from geo.region import load_region
    from planner.scenario import check_against, load_scenario
    from planner.standards import load_standards

    scenario = load_scenario(asked.scenario)
    region = load_region(scenario.region)
    faults = check_against(scenario, region)
    if faults:
        raise ScenarioRejected(faults)
    _say(words("cli.check_title", name=scenario.name, title=scenario.title))
    counts = {"cities": len(region.cities), "counties": len(region.counties), "persons": f"{region.persons:,}"}
    _say(words("cli.check_region", region=scenario.region, **counts))
    _say(*_input_lines(scenario, region, words), "")
    heads = [words(f"cli.{head}") for head in ("setting", "value", "basis")]
    _say(*table_lines(heads, _setting_rows(scenario, region, load_standards(), words), "lll"), "")
    _say(words("cli.assumed_mark"), words("cli.check_fine", scenario=asked.scenario))
    return 0


def coverage(asked, words):
    """Check whom a list of stations covers; show it, and write tables, workbook, map and layers."""
    from planner.coverage_cli import answer_lines, ask, file_lines
    from planner.coverage_cli import check as checked_coverage
    from planner.report.coverage_report import check_coverage_out, write_coverage

    question = ask(asked)
    with _writing(question.out):
        check_coverage_out(question.out)
    progress = Progress(words)
    try:
        checked, notes = checked_coverage(question, progress)
        with _writing(question.out):
            manifest = write_coverage(checked, question.out, words)
    finally:
        progress.clear()
    _say(*answer_lines(checked, notes, words), *file_lines(manifest, question.out, words))
    return 0


def simulate(asked, words):
    """Decide a scenario's plan, let people call ambulances for some weeks, and show how it holds up."""
    from planner.simulate_cli import simulate as simulated

    return simulated(asked, words)


def verify(asked, words):
    """Recompute a result folder without a solver and show each check."""
    from planner.documents.written import is_export
    from planner.export_cli import verify_export
    from planner.report import recover
    from planner.verify import verify_folder

    out = Path(asked.out)
    if not out.exists() and recover(out):
        _warn(words("cli.recovered"))
    if not out.is_dir():
        raise CommandWrong("verify_no_folder", "jinyi verify", out=asked.out)
    if is_export(out):
        return verify_export(out, words)
    checks = verify_folder(out)
    failed = [check for check in checks if not check.passed]
    told = Counter()
    for each in checks:
        told[each.name] += 1
        if each.passed or told[each.name] <= FAILURES_TOLD:
            _say(("✓ " if each.passed else "✗ ") + each.tell(words))
    for name, count in told.items():
        if count > FAILURES_TOLD:
            _say("✗ " + words("cli.verify_more", part=name, count=count - FAILURES_TOLD))
    _say("", words("cli.verify_failed" if failed else "cli.verify_passed", count=len(failed or checks)))
    return NOT_VERIFIED if failed else 0


def export(asked, words):
    """Write the plan documents of a result folder: atlas, Word annex, workbook, GIS handover."""
    from planner.export_cli import export as exported

    return exported(asked, words)


def standards(asked, words):
    """Show the standards that contain every word asked for, or one of them in full."""
    from planner.standards import UnknownStandard, load_standards

    register = load_standards()
    if asked.id is not None:
        try:
            _say(*_standard_lines(register[asked.id], words))
        except UnknownStandard as unknown:
            key = "standards.unknown_nearest" if unknown.nearest else "standards.unknown"
            _warn(words(key, id=printable(asked.id), nearest=unknown.nearest))
            return WRONG
        return 0
    found = register.search(*asked.words)
    if not found:
        _say(words("standards.none", total=len(register), words=printable(" ".join(asked.words))))
        return 0
    heads = [words(f"standards.{head}") for head in ("id", "figure", "document", "clause", "name")]
    rows = [[each.id, _figure(each, words), each.document, each.clause, each.name(words.lang)] for each in found]
    _say(*table_lines(heads, rows, "lllll"), "")
    _say(words("standards.found", count=len(found), total=len(register)))
    return 0


def app(asked, words):
    """Open the page on this machine and stay until it ends."""
    import importlib.util
    import subprocess

    if importlib.util.find_spec("streamlit") is None:
        raise CommandWrong("app_missing", "jinyi app")
    port = _port(asked.port)
    page = Path(__file__).parent / "ui" / "main.py"
    url = f"http://127.0.0.1:{port}"
    options = {
        "server.address": "127.0.0.1",
        "server.port": str(port),
        "server.headless": "true",  # else the first start waits for an e-mail address
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
    }
    command = [sys.executable, "-P", "-m", "planner.ui.serve", "run", str(page)]  # -P: not what lies in this folder
    command += [part for name, value in options.items() for part in (f"--{name}", value)]
    _say(words("cli.app_starting", url=url))
    if not asked.no_browser:
        threading.Thread(target=_open_when_ready, args=(url, port), daemon=True).start()
    child = subprocess.Popen(command, env=os.environ | {"JINYI_LANG": words.lang}, stdout=subprocess.DEVNULL)
    with _interrupt_on_terminate():
        try:
            return child.wait()
        except (
            KeyboardInterrupt
        ):  # Ctrl-C reaches the child too, a polite kill does not; either way it must not outlive us
            child.terminate()
            child.wait()
            return 0


_HANDLERS = {
    "run": run,
    "check": check,
    "compare": compare,
    "coverage": coverage,
    "simulate": simulate,
    "verify": verify,
    "export": export,
    "standards": standards,
    "app": app,
}


# -- asking ----------------------------------------------------------------------------------------------------------


class CommandWrong(Exception):
    """A command that cannot be understood: ``key`` below ``cli`` names the sentence, ``program`` whose help to read."""

    exit_code = WRONG

    def __init__(self, key, program="jinyi", **params):
        self.key = key
        self.program = program
        self.params = {name: printable(str(value)) for name, value in params.items()}
        super().__init__(key)

    def tell(self, words):
        """Return what is wrong and where to read on, in the language of ``words``."""
        said = words("cli.wrong", said=words(f"cli.{self.key}", **self.params))
        return said + "\n" + words("cli.wrong_help", command=self.program)


class HelpAsked(Exception):
    """Somebody asked for help or for the version: ``text`` is the answer."""

    def __init__(self, text):
        self.text = text
        super().__init__(text)


class _Answer(argparse.Action):
    """An option that is answered by a text and ends the command."""

    def __init__(self, option_strings, dest, text):
        super().__init__(option_strings, dest=argparse.SUPPRESS, nargs=0)
        self._text = text

    def __call__(self, parser, namespace, values, option_string=None):
        raise HelpAsked(self._text())


class _Parser(argparse.ArgumentParser):
    """A parser that explains faults in the catalogue's words instead of leaving the process."""

    def error(self, message):
        known = (
            ("wrong_command", r"invalid choice: '(?P<what>.*?)'"),
            ("wrong_missing", r"arguments are required: (?P<what>.*)"),
            ("wrong_extra", r"unrecognized arguments: (?P<what>.*)"),
            ("wrong_value", r"argument (?P<option>.*): expected one argument"),
        )
        for key, pattern in known:
            if found := re.search(pattern, message):
                params = found.groupdict()
                near = difflib.get_close_matches(params.get("what", ""), COMMANDS, n=1)
                if key == "wrong_command" and near:
                    raise CommandWrong("wrong_command_nearest", self.prog, nearest=near[0], **params)
                raise CommandWrong(key, self.prog, **params)
        raise CommandWrong("wrong_extra", self.prog, what=message)


def _parser(words):
    from planner.coverage_cli import add_options
    from planner.export_cli import add_options as add_export_options

    parser = _Parser(prog="jinyi", add_help=False, allow_abbrev=False)
    parser.add_argument("--version", action=_Answer, text=lambda: words("cli.version", version=version("jinyi")))
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)
    parts = {name: commands.add_parser(name, add_help=False, allow_abbrev=False) for name in COMMANDS}
    for name in ("run", "check", "simulate"):
        parts[name].add_argument("scenario", metavar=words("cli.what_scenario"))
    for part in ("first", "second"):
        parts["compare"].add_argument(part, metavar=words(f"cli.what_{part}"))
    for name in ("run", "compare", "simulate"):
        parts[name].add_argument("--out")
    parts["simulate"].add_argument("--days")
    parts["simulate"].add_argument("--seed")
    add_options(parts["coverage"])
    parts["verify"].add_argument("out", metavar=words("cli.what_out"))
    add_export_options(parts["export"], words)
    parts["standards"].add_argument("words", nargs="*")
    parts["standards"].add_argument("--id")
    parts["app"].add_argument("--port")
    parts["app"].add_argument("--no-browser", action="store_true")
    for name, each in [("main", parser), *parts.items()]:
        each.add_argument("-h", "--help", action=_Answer, text=lambda name=name: _help(name, words))
        each.add_argument("--lang", default=argparse.SUPPRESS)  # read beforehand, so that faults are told in it
    return parser


def _help(name, words):
    from planner.scenario import shipped_scenarios
    from planner.standards import load_standards

    shipped = folded(shipped_scenarios(), words("report.list_comma"), HELP_WIDTH, HELP_INDENT)
    return words(f"cli.help.{name}", shipped=shipped, count=len(load_standards())).strip("\n")


def _language(argv):
    """Return the language asked for by ``--lang``, else by JINYI_LANG, else Chinese."""
    stated = [argv[n + 1] for n, word in enumerate(argv[:-1]) if word == "--lang"]
    stated += [word.removeprefix("--lang=") for word in argv if word.startswith("--lang=")]
    if stated and stated[-1] not in LANGUAGES:
        raise CommandWrong("wrong_lang", what=stated[-1])
    by_environment = os.environ.get("JINYI_LANG") or "zh"
    if not stated and by_environment not in LANGUAGES:
        raise CommandWrong("wrong_env_lang", what=by_environment)
    return stated[-1] if stated else by_environment


def _port(stated):
    """Return a port to listen on: the one stated, if it is free, else the first free one from 8501."""
    if stated is None:
        return next((port for port in range(FIRST_PORT, FIRST_PORT + PORTS_TRIED) if _free(port)), FIRST_PORT)
    if not (stated.isascii() and stated.isdigit() and 1024 <= int(stated[:6]) <= 65535):
        raise CommandWrong("wrong_port", "jinyi app", what=stated)
    port = int(stated)
    if not _free(port):
        raise CommandWrong("app_port_busy", "jinyi app", port=port, other=port + 1 if port < 65535 else FIRST_PORT)
    return port


def _free(port):
    import socket

    with socket.socket() as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _open_when_ready(url, port):
    """Open the browser once the page answers; on a machine without a screen, do nothing."""
    import socket
    import time
    import webbrowser

    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return
    for _ in range(150):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=0.2).close()
        except OSError:
            time.sleep(0.2)
        else:
            webbrowser.open(url)
            return


@contextmanager
def _cancel_on_signal(words, progress, said="cli.stopping"):
    """Give an event that Ctrl-C (or a polite kill) sets, after which ``said`` is shown; a second one leaves at once."""
    cancel = threading.Event()

    def ask_to_stop(number, frame):
        if cancel.is_set():
            raise KeyboardInterrupt
        cancel.set()
        progress.clear()
        _warn("\n" + words(said))

    if threading.current_thread() is not threading.main_thread():
        yield cancel  # signals are the main thread's
        return
    before = {number: signal.signal(number, ask_to_stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield cancel
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _interrupt_on_terminate():
    """Let a polite kill end this process as Ctrl-C does, so that it can end its child."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


# -- refusing --------------------------------------------------------------------------------------------------------


class NotWritten(Exception):
    """The results could not be written; the old ones stand."""

    exit_code = NOT_WRITTEN

    def __init__(self, where, error):
        self.where = where
        self.error = error
        super().__init__(f"{where}: {error}")

    def tell(self, words):
        """Return where and why, in the language of ``words``."""
        if hasattr(self.error, "tell"):
            return "✗ " + self.error.tell(words)
        said = self.error.strerror or type(self.error).__name__
        return words("cli.cannot_write", where=printable(str(self.where)), said=said)


@contextmanager
def _writing(out):
    try:
        yield
    except OSError as error:
        raise NotWritten(out, error) from error


def _refused(error, words):
    """Tell why there is no result, and return the exit code; whatever happens, a planner sees no traceback."""
    if isinstance(error, Rejected):
        kind = {2: "scenario", 3: "data", 4: "infeasible"}[error.exit_code]
        _warn(words(f"cli.faults_{kind}", count=len(error.faults)))
        _warn(*("  · " + printable(fault.tell(words)) for fault in error.faults))
    elif hasattr(error, "tell"):
        _warn(printable(error.tell(words)))
    elif getattr(error, "exit_code", None) == NOT_VERIFIED:
        _warn(words("cli.solver_fault", said=printable(str(error))))
    else:
        _warn(words("cli.unexpected", said=printable(f"{type(error).__name__}: {error}")))
    return getattr(error, "exit_code", UNEXPECTED)


# -- showing ---------------------------------------------------------------------------------------------------------


def _say(*lines):
    try:
        print(*lines, sep="\n", flush=True)
    except BrokenPipeError:  # the reader went away, as in "jinyi standards | head"; the exit code is not about them
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _warn(*lines):
    for line in lines:
        print(line, file=sys.stderr, flush=True)


def _figure(standard, words):
    sign = SIGNS.get(standard.comparator, "") if standard.figure else ""
    return f"{sign}{standard.figure} {standard.unit_in(words.lang)}".strip() or words("report.absent")


def _standard_lines(standard, words):
    from planner.standards import decimal_text

    base = decimal_text(standard.base_value) if standard.base_value is not None else ""
    if base and standard.base_year is not None:
        base = words("standards.year", value=base, year=standard.base_year)
    nature = f"standards.{standard.nature}"
    said = {
        "id": standard.id,
        "name": standard.name(words.lang),
        "figure": _figure(standard, words),
        "document": standard.document,
        "clause": standard.clause,
        "topic": standard.topic,
        "areas": words("report.list_comma").join(standard.areas),
        "base": base,
        "target_year": "" if standard.target_year is None else str(standard.target_year),
        "nature": words(nature) if nature in words else standard.nature,
        "formula": standard.formula,
        "note": standard.note,
    }
    rows = [[words(f"standards.{part}"), text] for part, text in said.items() if text]
    return table_lines(["", ""], rows, "ll")[2:]


def _input_lines(scenario, region, words):
    """Return what is read beside the region: people of a later year, a facility table (Rejected where it is wrong)."""
    from geo.facilities import load_facilities
    from geo.region import grown
    from geo.stations import load_stations
    from planner.settings import file_name

    lines = []
    if scenario.population_growth:
        persons = grown(region, scenario.population_growth).persons
        more = f"{persons - region.persons:+,}"
        lines.append(words("cli.check_people", year=scenario.population_year, persons=f"{persons:,}", more=more))
    if scenario.existing_stations:
        listed = load_stations(scenario.existing_stations, region)
        lines.append(words("cli.check_stations", file=file_name(scenario.existing_stations), count=len(listed)))
    if scenario.facilities:
        table = load_facilities(scenario.facilities, region)
        beds = f"{table['beds'].sum():,}"
        lines.append(words("cli.check_facilities", file=file_name(scenario.facilities), count=len(table), beds=beds))
    return lines


def _setting_rows(scenario, region, register, words):
    """Return [label, value, basis] of every setting, in the order of a scenario file, tables figure by figure."""
    from planner.settings import ALL_SETTINGS, BED_TARGETS, in_words, said_place

    names = _names(region.cities, words) | _names(region.counties, words)
    changed = {each.key: each for each in scenario.overrides}

    def basis(setting, key, standard):
        if key in scenario.lines:
            file, row = scenario.lines[key]
            if key in changed:
                old, new = changed[key].old, changed[key].new
                return words("cli.basis_changed", file=file, row=row, old=old, new=new)
            return words("cli.basis_scenario", file=file, row=row)
        if standard is None:
            return words("report.basis_data" if setting.data else "cli.basis_assumed")
        return words("cli.basis_standard", document=standard.document, clause=standard.clause, id=standard.id)

    rows = []
    for setting in ALL_SETTINGS:
        if setting.key in ("title", "region"):  # at the head already
            continue
        value = getattr(scenario, setting.field)
        label = words(f"report.setting.{setting.field}")
        if not setting.by:
            standard = register[setting.standard] if setting.standard else None
            rows.append([label, in_words(setting, value, names, words), basis(setting, setting.key, standard)])
            continue
        places = region.cities.index if setting.key == BED_TARGETS else value
        for place in places:
            key = f"{setting.key}.{place}"
            from_table3 = setting.key == BED_TARGETS and key not in scenario.lines
            standard = register.city_bed_target(place) if from_table3 else None
            head = f"{label} · {said_place(setting, place, names, words)}"
            rows.append([head, in_words(setting, value[place], names, words), basis(setting, key, standard)])
        if not len(places):
            rows.append([label, words("report.none"), basis(setting, setting.key, None)])
    return rows


def _names(frame, words):
    column = "name_en" if words.lang == "en" and "name_en" in frame else "name"
    return {code: printable(name) for code, name in frame[column].items()}


def _plan_lines(plan, prepared, manifest, out, words):
    """Return what a planner reads: the plan, what it changes, that it is verified, where it is."""
    from planner.telling import plan_lines

    title = words("cli.check_title", name=plan.scenario.name, title=printable(plan.scenario.title))
    lines = [title, "", *plan_lines(plan, prepared, words), *_override_lines(plan.scenario, words)]
    lines.append(words("cli.verified", count=len(manifest["verification"]["checks"])))
    return [*lines, *_file_lines(manifest, out, words)]


def _override_lines(scenario, words):
    from planner.settings import override_label, override_sides

    if not scenario.overrides:
        return [words("cli.no_overrides")]
    lines = [words("cli.overrides")]
    for each in scenario.overrides:
        old, new = override_sides(each, words)
        lines.append("  " + words("cli.override", label=override_label(each, words), key=each.key, old=old, new=new))
    return lines


def _file_lines(manifest, out, words):
    kinds = {
        "map.html": "file_web_map",
        "map.pdf": "file_print_map",
        "map.png": "file_print_map",
        "curve.png": "file_curve",
        "plan.xlsx": "file_workbook",
        "plan.gpkg": "file_layers",
    }
    tables = [name for name in manifest["files"] if name.startswith("tables/")]
    rows = [[str(out / name), words(f"cli.{kind}")] for name, kind in kinds.items() if name in manifest["files"]]
    rows.append([str(out / "tables") + os.sep, words("cli.file_tables", count=len(tables))])
    rows.append([str(out / "manifest.json"), words("cli.file_manifest")])
    return [
        words("cli.written", out=printable(str(out))),
        *("  " + line for line in table_lines(["", ""], rows, "ll")[2:]),
    ]


def _comparison_files(manifest, out, words):
    kinds = {"compare.xlsx": "compare.file_workbook", "map.html": "compare.file_map"}
    rows = [[str(out / name), words(kind)] for name, kind in kinds.items()]
    tables = [name for name in manifest["files"] if name.startswith("tables/")]
    rows.append([str(out / "tables") + os.sep, words("cli.file_tables", count=len(tables))])
    rows.append([str(out / "manifest.json"), words("compare.file_manifest")])
    return [
        words("compare.written", out=printable(str(out))),
        *("  " + line for line in table_lines(["", ""], rows, "ll")[2:]),
    ]
