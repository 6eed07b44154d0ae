"""`%qjob_monitor`: live panels and tables of jobs."""

from __future__ import annotations

import ast
import weakref
from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring

from qjob_widgets.gathering import Auto, Gathering
from qjob_widgets.naming import QUERY_LIMIT, Naming, described, query

_NAME = "qjob_monitor"
NEAR, FAR = 2.0, 15.0
"""Seconds between two questions of a query, for a service on this machine and for any other."""
PATIENCE = 2.0
"""Seconds that a terminal waits for what services say of new jobs; a table gets it whenever it comes."""

_shown: weakref.WeakSet[Any] = weakref.WeakSet()
"""Panels and tables of this process."""
_auto: list[Auto] = []


@magics_class
class JobMagics(Magics):
    """The magics of `%load_ext qjob_widgets`."""

    @no_var_expand
    @magic_arguments()
    @argument("job", nargs="*", help="jobs: expressions, lists of jobs, or job ids")
    @argument("--service", help="expression of the JobService that is asked for job ids and queries")
    @argument("--pending", action="store_true", help="query: jobs that have not ended")
    @argument("--since", help="query: not older than 30m, 2h, 2d, 1w, or a date such as 2026-01-31")
    @argument("--tag", action="append", help="query: jobs with this tag; again for several")
    @argument("--backend", help="query: jobs of this backend")
    @argument("--limit", type=int, help=f"query: most jobs, {QUERY_LIMIT} by default")
    @argument("--freeze-when-done", action="store_true", help="leave only the static table in the end")
    @argument("--once", action="store_true", help="print a text table once")
    @argument("--json", action="store_true", help="print one JSON object a line and job, at each change")
    @argument("--auto", action="store_true", help="watch every job that later cells submit")
    @argument("--list", action="store_true", help="print what is watched")
    @argument("--stop", action="store_true", help="stop watching: these jobs, or everything and --auto")
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

        __tracebackhide__ = True
        options = parse_argstring(self.qjob_monitor, line.partition(" #")[0])
        if cell is not None:
            return self._cell(options, cell)  # what its code raises is the user's to see
        try:
            self._line(options)
        except (QJobError, ImportError) as error:
            raise UsageError(str(error)) from None
        return None

    # ---- what is asked for

    def _line(self, options: Namespace) -> None:
        naming, wanted = Naming(self.shell, options.service), query(options)
        jobs = list(naming.jobs(options.job)) if options.job else []
        if jobs and wanted is not None:
            raise UsageError("Give jobs, or a query (--pending, --since, --tag, --backend, --limit).")
        if options.list:
            _print_list()
        elif options.stop:
            _stop(jobs)
        elif options.auto:
            _begin_auto(self.shell)
        elif wanted is not None:
            self._query(options, naming.services("the query")[0], wanted)
        elif jobs:
            self._show(options, jobs)
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
            self._show(options, list(ask()))
        else:
            every = NEAR if service.client.transport.loopback else FAR
            _display(_table(ask(), query=ask, name=described(options), every=every))

    def _cell(self, options: Namespace, cell: str) -> Any:
        from qjob_widgets.jobs.service import connected_services
        from qjob_widgets.jobs.submitted import heard_by

        __tracebackhide__ = True
        if options.job or query(options) is not None:
            raise UsageError(f"%%{_NAME} watches what its cell submits; name jobs with %{_NAME}.")
        text = _in_text(self.shell, options)
        found: list[Any] = []
        table = None if text else _table([], freeze_when_done=options.freeze_when_done)
        if table is not None:
            _display(table)
        names = {} if self.shell is None else self.shell.user_ns
        gathering = Gathering(names, found.append if table is None else table.add)
        try:
            with heard_by(gathering.take):
                return self._run(cell)
        finally:
            gathering.look_at_names()
            asked = gathering.ask(connected_services())
            if table is None:
                asked.wait(PATIENCE)
                if found:
                    self._show(options, list(found))

    def _run(self, cell: str) -> Any:
        """Run the cell's code as it would have been run; gives the value of its last expression."""
        __tracebackhide__ = True
        shell = self.shell
        if shell is None:
            return None
        code = shell.transform_cell(cell)
        name = shell.compile.cache(code, shell.execution_count, raw_code=cell)
        try:
            tree = shell.transform_ast(ast.parse(code, name))
            last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
            statements = shell.compile(tree, name, "exec")
            expression: Any = None if last is None else ast.Expression(last.value)
            value = None if last is None else shell.compile(expression, name, "eval")
        except SyntaxError as error:
            if "await" in str(error):
                raise UsageError(f"await does not work below %%{_NAME}; use %{_NAME} --auto.") from None
            raise
        exec(statements, shell.user_global_ns, shell.user_ns)
        given = None if value is None else eval(value, shell.user_global_ns, shell.user_ns)
        return None if cell.rstrip().endswith(";") else given


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


def _stop(jobs: Sequence[Any]) -> None:
    """Stop the panels and tables of these jobs; all of them, and --auto, where none is named."""
    if not jobs:
        _end_auto()
    wanted = {str(job.job_id()) for job in jobs}
    stopped = 0
    for panel in [panel for panel in _shown if not panel.closed]:
        if not jobs or wanted & {str(job.job_id()) for job in panel.jobs}:
            panel.close()
            stopped += 1
    print(f"Stopped watching in {stopped} {'place' if stopped == 1 else 'places'}. The jobs go on.")


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

    _shown.add(panel)
    display(panel)


def _print_list() -> None:
    panels = [panel for panel in _shown if not panel.closed]
    if not panels:
        print("Nothing is watched.")
    for panel in panels:
        print(repr(panel))


def load(ipython: Any) -> None:
    """Register the magics; harmless when they are registered already."""
    ipython.register_magics(JobMagics)


def unload(ipython: Any) -> None:
    """Take the magics away. Panels that are shown stay live."""
    _end_auto()
    for kind in ("line", "cell"):
        ipython.magics_manager.magics[kind].pop(_NAME, None)
