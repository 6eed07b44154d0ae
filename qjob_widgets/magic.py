"""`%qjob_monitor`: live panels and tables of jobs."""

from __future__ import annotations

import ast
import itertools
import weakref
from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring

from qjob_widgets.gathering import Auto, Gathering
from qjob_widgets.naming import QUERY_LIMIT, Naming, described, query, unquoted, without_comment

_NAME = "qjob_monitor"
NEAR, FAR = 2.0, 15.0
"""Seconds between two questions of a query, for a service on this machine and for any other."""
PATIENCE = 2.0
"""Seconds that a terminal waits for what services say of new jobs; a table gets it whenever it comes."""

_shown: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
"""Panels and tables of this process, each by a number that stays its own."""
_numbers = itertools.count(1)
_auto: list[Auto] = []


@magics_class
class JobMagics(Magics):
    """The magics of `%load_ext qjob_widgets`."""

    @no_var_expand
    @magic_arguments()
    @argument("job", nargs="*", help="jobs: expressions, lists of jobs or ids, or job ids")
    @argument("--service", help="expression of the JobService that is asked for job ids and queries")
    @argument("--pending", action="store_true", help="query: jobs that have not ended")
    @argument("--since", help="query: not older than 30m, 2h, 2d, 1w, today, or a date such as 2026-01-31")
    @argument("--tag", action="append", help="query: jobs with this tag; again for several")
    @argument("--backend", help="query: jobs of this backend")
    @argument("--limit", type=int, help=f"query: most jobs, {QUERY_LIMIT} by default")
    @argument("--freeze-when-done", action="store_true", help="leave only the static table in the end")
    @argument("--once", action="store_true", help="print a text table once")
    @argument("--json", action="store_true", help="print one JSON object a line and job, at each change")
    @argument("--auto", action="store_true", help="watch every job that later cells submit")
    @argument("--list", action="store_true", help="print what is watched, with numbers")
    @argument(
        "--stop", action="store_true", help="stop watching: numbers, names or jobs; else all and --auto"
    )
    @argument("--help", "-h", action="store_true", help="print this")
    @line_cell_magic
    def qjob_monitor(self, line: str, cell: str | None = None) -> Any:
        """Show jobs live, of this library or another. Returns at once.

        %qjob_monitor job                        a panel of a variable, or of any expression
        %qjob_monitor jobs other_job             a table of several, or of lists
        %qjob_monitor <job id>                   by id, for example in a new kernel
        %qjob_monitor --pending --since 2d --tag vqe     by query; new jobs appear
        %qjob_monitor --auto                     every job that later cells submit; --stop ends it
        %%qjob_monitor                           every job that the cell submits

        In a terminal the same facts are a text table, until the jobs have ended or Ctrl-C.
        """
        from qjob_widgets.errors import QJobError
        from qjob_widgets.widgets.shown import whole

        __tracebackhide__ = True
        try:
            options = parse_argstring(self.qjob_monitor, without_comment(line))
        except ValueError as error:  # of quotes that are not closed
            raise UsageError(f"{error}: {line.strip()}") from None
        if options.help:
            print(self.qjob_monitor.__doc__.strip(": \n"))
            return None
        if cell is not None:
            return self._cell(options, cell)  # what its code raises is the user's to see
        try:
            self._line(options)
        except (QJobError, ImportError) as error:
            raise UsageError(whole(str(error))) from None
        return None

    # ---- what is asked for

    def _line(self, options: Namespace) -> None:
        naming, wanted = Naming(self.shell, options.service), query(options)
        if options.job and wanted is not None:
            raise UsageError(
                "Give jobs, or a query (--pending, --since, --tag, --backend, --limit); a value with spaces"
                ' needs quotes, such as --tag "my tag".'
            )
        if options.auto and (options.job or wanted is not None):
            raise UsageError(f"--auto watches what later cells submit; name jobs with %{_NAME} alone.")
        others = (options.job, options.stop, options.auto, wanted is not None)
        if options.list and any(others):
            raise UsageError(f"--list stands alone: %{_NAME} --list says what is watched.")
        if options.stop and (options.auto or wanted is not None):
            raise UsageError(f"--stop takes numbers, names and jobs; %{_NAME} --list says which there are.")
        if options.list:
            _print_list()
        elif options.stop:
            _stop(options.job, naming)
        elif options.auto:
            _begin_auto(self.shell)
        elif wanted is not None:
            self._query(options, naming.services("the query")[0], wanted)
        elif options.job:
            self._show(options, list(naming.jobs(options.job)))
        else:
            raise UsageError(f"Say which job: %{_NAME} job")

    def _show(self, options: Namespace, jobs: list[Any]) -> None:
        if _in_text(self.shell, options):
            from qjob_widgets.widgets.terminal import watch

            watch(jobs, once=options.once, as_json=options.json)
        elif len(jobs) == 1:
            from qjob_widgets.widgets.panel import JobPanel

            _display(JobPanel(jobs[0], freeze_when_done=options.freeze_when_done))
        else:
            _display(_table(jobs, freeze_when_done=options.freeze_when_done))

    def _query(self, options: Namespace, service: Any, wanted: dict[str, Any]) -> None:
        def ask() -> Sequence[Any]:
            return list(service.jobs(**wanted))

        if _in_text(self.shell, options):
            from qjob_widgets.widgets.terminal import watch

            watch([], query=ask, name=described(options), once=options.once, as_json=options.json)
        else:
            every = NEAR if service.client.transport.loopback else FAR
            _display(_table(ask(), query=ask, name=described(options), every=every))

    def _cell(self, options: Namespace, cell: str) -> Any:
        from qjob_widgets.jobs.service import connected_services
        from qjob_widgets.jobs.submitted import heard_by

        __tracebackhide__ = True
        if options.job or query(options) is not None:
            raise UsageError(f"%%{_NAME} watches what its cell submits; name jobs with %{_NAME}.")
        if options.list or options.stop or options.auto:
            raise UsageError(
                f"%%{_NAME} takes none of --list, --stop and --auto; write %{_NAME} before them."
            )
        run = self._compiled(cell)
        text = _in_text(self.shell, options)
        found: list[Any] = []
        table = None if text else _table([])
        if table is not None:
            _display(table)

        tables = [] if table is None else [table]

        def take(job: Any) -> None:
            for auto in _auto:
                auto.skip(job)
            found.append(job)
            if tables:
                tables[-1].add(job)
            elif table is not None:  # a task that the cell has left running has come to it
                tables.append(_table([job]))
                _display(tables[-1])

        def end() -> None:
            if not found and tables:
                tables.pop().leave("This cell submitted no job.")
            elif tables and options.freeze_when_done:
                tables[-1].freeze_once_done()

        gathering = Gathering({} if self.shell is None else self.shell.user_ns, take)
        try:
            with heard_by(gathering.take):
                value = run()
            gathering.look_at([value])
            return None if cell.rstrip().endswith(";") else value
        finally:
            gathering.look_at_names()
            asked = gathering.ask(connected_services(), end)
            if table is None:
                asked.wait(PATIENCE)
                if found:
                    self._show(options, list(found))

    def _compiled(self, cell: str) -> Callable[[], Any]:
        """What runs the cell's code as it would have been run, and gives the value of its last expression."""
        __tracebackhide__ = True
        shell = self.shell
        if shell is None:
            return lambda: None
        code = shell.transform_cell(cell)
        name = shell.compile.cache(code, shell.execution_count, raw_code=cell)
        try:
            tree = shell.transform_ast(ast.parse(code, name))
            last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
            statements = shell.compile(tree, name, "exec")
            expression: Any = None if last is None else ast.Expression(last.value)
            value = None if last is None else shell.compile(expression, name, "eval")
        except SyntaxError as error:
            if "await" in str(error) or "outside async function" in str(error):
                raise UsageError(f"await does not work below %%{_NAME}; use %{_NAME} --auto.") from None
            raise

        def run() -> Any:
            __tracebackhide__ = True
            exec(statements, shell.user_global_ns, shell.user_ns)
            return None if value is None else eval(value, shell.user_global_ns, shell.user_ns)

        return run


def _begin_auto(shell: Any) -> None:
    if _auto:
        print(f"Jobs of later cells are watched already; %{_NAME} --stop ends it.")
        return

    def show(job: Any) -> Callable[[Any], object]:
        if _in_text(shell):
            print(f"Submitted: {job.job_id()}")
            return lambda job: print(f"Submitted: {job.job_id()}")
        table = _table([job])
        _display(table)
        return table.add  # type: ignore[no-any-return]

    _auto.append(Auto(shell, show))
    print(f"Jobs that later cells submit are watched; %{_NAME} --stop ends it.")


def _end_auto() -> None:
    while _auto:
        _auto.pop().end()


def _stop(words: Sequence[str], naming: Naming) -> None:
    """Stop the panels and tables of these numbers, names and jobs; all of them, and --auto, without any."""
    wanted = dict(_open())
    if words:
        wanted = {number: panel for word in words for number, panel in _named(unquoted(word), naming)}
    else:
        _end_auto()
    for panel in wanted.values():
        panel.close()
    print(f"Stopped watching in {len(wanted)} {'place' if len(wanted) == 1 else 'places'}. The jobs go on.")


def _named(word: str, naming: Naming) -> list[tuple[int, Any]]:
    """What is shown under a number, a name, or of a job."""
    if word.isdecimal():
        if int(word) not in dict(_open()):
            raise UsageError(f"Nothing is watched under number {word}; --list says what is.")
        return [(int(word), _shown[int(word)])]
    found = [(number, panel) for number, panel in _open() if panel.meta.get("name") == word]
    if found:
        return found
    jobs = {str(job.job_id()) for job in naming.jobs([word])}
    return [each for each in _open() if jobs & {str(job.job_id()) for job in each[1].jobs}]


def _open() -> list[tuple[int, Any]]:
    """What is watched, by number, in order."""
    return [(number, panel) for number, panel in sorted(_shown.items()) if not panel.closed]


def _in_text(shell: Any, options: Namespace | None = None) -> bool:
    """Whether jobs are shown as text: it was asked for, or this is a terminal, which shows no widget."""
    asked = options is not None and (options.once or options.json)
    # By name: importing that class takes as long as all of this package.
    return asked or any(kind.__name__ == "TerminalInteractiveShell" for kind in type(shell).__mro__)


def _table(jobs: Sequence[Any], **options: Any) -> Any:
    from qjob_widgets.widgets.table import JobTable

    return JobTable(jobs, **options)


def _display(panel: Any) -> None:
    from IPython.display import display

    _shown[next(_numbers)] = panel
    display(panel)


def _print_list() -> None:
    if _auto:
        print("--auto: jobs that later cells submit")
    elif not _open():
        print("Nothing is watched.")
    for number, panel in _open():
        print(f"{number}: {panel!r}")


def load(ipython: Any) -> None:
    """Register the magics; harmless when they are registered already."""
    ipython.register_magics(JobMagics)


def unload(ipython: Any) -> None:
    """Take the magics away. Panels that are shown stay live."""
    _end_auto()
    for kind in ("line", "cell"):
        ipython.magics_manager.magics[kind].pop(_NAME, None)
