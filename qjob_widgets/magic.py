"""`%qjob_monitor`: live panels of jobs. Together with `services.py` and `cli.py` it may import everything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring

_NAME = "qjob_monitor"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{7,127}")


@magics_class
class JobMagics(Magics):
    """The magics of `%load_ext qjob_widgets`."""

    @no_var_expand
    @magic_arguments()
    @argument("job", nargs="*", help="jobs: expressions, lists of jobs, or job ids")
    @argument("--service", help="expression of the JobService that is asked for job ids")
    @line_magic
    def qjob_monitor(self, line: str) -> None:
        """Show a live panel of each job, of this library or another. Returns at once.

        %qjob_monitor job                 a variable, or any expression
        %qjob_monitor jobs other_job      several, or lists
        %qjob_monitor <job id>            by id, for example in a new kernel
        """
        from qjob_widgets.errors import QJobError

        try:
            for job in self._jobs(line):
                _show(job)
        except (QJobError, ImportError) as error:
            raise UsageError(str(error)) from None

    def _jobs(self, line: str) -> Iterator[Any]:
        arguments = parse_argstring(self.qjob_monitor, line.partition(" #")[0])
        if not arguments.job:
            raise UsageError("Say which job: %qjob_monitor job")
        texts = [" ".join(arguments.job)]
        if not self._is_expression(texts[0]):
            texts = arguments.job
        for text in texts:
            yield from _flat(self._found(text.strip("\"'"), arguments.service), text)

    @property
    def _names(self) -> dict[str, Any]:
        """The notebook's variables."""
        return self.shell.user_ns if self.shell is not None else {}

    def _evaluated(self, text: str) -> Any:
        return self.shell.ev(text) if self.shell is not None else None

    @staticmethod
    def _is_expression(text: str) -> bool:
        try:
            compile(text, "<qjob_monitor>", "eval")
        except (SyntaxError, ValueError):
            return False
        return True

    def _found(self, text: str, service: str | None) -> Any:
        """What an argument stands for: a value of the notebook, else the job of that id."""
        if text.isidentifier() and text in self._names:
            return self._names[text]
        if not text.isidentifier() and self._is_expression(text):
            try:
                return self._evaluated(text)
            except Exception as error:
                # An id with hyphens is an expression too; one that fails is taken for the id.
                if not _ID.fullmatch(text):
                    trouble = f"{type(error).__name__}: {error}"
                    raise UsageError(f"{text} cannot be evaluated: {trouble}") from None
        return self._by_id(text, service)

    def _by_id(self, text: str, expression: str | None) -> Any:
        from qjob_widgets.jobs.errors import IBMApiError, JobNotFound

        if not _ID.fullmatch(text):
            raise UsageError(
                f"There is no variable {text!r}, and it is no job id. Give a job, a list of jobs or a job id."
            )
        tried, silent = [], []
        for service in self._services(expression, text):
            try:
                return service.job(text)
            except JobNotFound:
                tried.append(service.client.transport.root)
            except IBMApiError as error:
                silent.append(str(error))  # a service that is gone must not hide the others
        if not tried:
            raise UsageError(silent[0])
        raise UsageError(
            f"There is no variable {text!r}, and no job of that id at {', '.join(tried)}."
            f" Give a job, a list of jobs or a job id.{''.join(f' ({trouble})' for trouble in silent)}"
        )

    def _services(self, expression: str | None, text: str) -> list[Any]:
        from qjob_widgets.jobs.service import JobService, connected_services

        if expression is not None:
            try:
                service = self._evaluated(expression)
            except Exception as error:
                raise UsageError(f"--service {expression}: {type(error).__name__}: {error}") from None
            if not isinstance(service, JobService):
                raise UsageError(f"--service {expression} is {type(service).__name__}, not a JobService.")
            return [service]
        connected = connected_services()
        if connected:
            return connected
        from qjob_widgets.services import connect

        try:
            service = connect()
        except Exception as error:
            raise UsageError(
                f"There is no variable {text!r}, and no service is connected that could know it as a job id"
                f" ({error})"
            ) from None
        print(f"No service is connected in this kernel: asking the saved account at {service!r}.")
        return [service]


def _flat(value: Any, text: str) -> Iterator[Any]:
    from qjob_widgets.monitor.foreign import is_foreign, is_watchable

    if isinstance(value, (list, tuple, set, frozenset)):
        if not value:
            raise UsageError(f"{text} is empty: there is no job to show.")
        for item in value:
            yield from _flat(item, text)
        return
    if is_watchable(value) or is_foreign(value):
        yield value
        return
    raise UsageError(f"{text} is no job but {type(value).__name__}. Give a job, a list of jobs or a job id.")


def _show(job: Any) -> None:
    from IPython.display import display

    from qjob_widgets.widgets.panel import JobPanel

    display(JobPanel(job))


def load(ipython: Any) -> None:
    """Register the magics; harmless when they are registered already."""
    ipython.register_magics(JobMagics)


def unload(ipython: Any) -> None:
    """Take the magics away. Panels that are shown stay live."""
    ipython.magics_manager.magics["line"].pop(_NAME, None)
