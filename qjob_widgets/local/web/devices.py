"""The end points of backends."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from qjob_widgets.local.backends import Backend
from qjob_widgets.local.jobs.store import Store
from qjob_widgets.local.web import wire
from qjob_widgets.local.web.answers import RefusalError, as_json


class Devices:
    """What jobs can run on.

    Args:
        backends: By name.
        store: The jobs that wait for them.
    """

    def __init__(self, backends: Mapping[str, Backend], store: Store) -> None:
        self._backends, self._store = backends, store

    @property
    def names(self) -> list[str]:
        """Those that are no mocks."""
        return [backend.name for backend in self._backends.values() if not backend.mock]

    def find(self, name: object) -> Backend:
        """The backend of this name.

        Raises:
            RefusalError: If there is none.
        """
        if isinstance(name, str) and name in self._backends:
            return self._backends[name]
        there = ", ".join(self.names)
        raise RefusalError(404, 1216, f"There is no backend {name!r}.", f"Choose from {there}.")

    def list_backends(self, request: Request, body: bytes) -> Response:
        """GET /backends; mocks too with `include_mocks=true`."""
        with_mocks = wire.wants_mocks(request.query_params)
        found = [backend for backend in self._backends.values() if with_mocks or not backend.mock]
        return as_json({"devices": [backend.listed(self._waiting(backend)) for backend in found]})

    def configuration(self, request: Request, body: bytes) -> Response:
        """GET /backends/{name}/configuration"""
        return as_json(self.find(request.path_params["name"]).configuration)

    def properties(self, request: Request, body: bytes) -> Response:
        """GET /backends/{name}/properties"""
        found = self.find(request.path_params["name"]).properties
        return as_json(wire.wanted_properties(found, request.query_params))

    def defaults(self, request: Request, body: bytes) -> Response:
        """GET /backends/{name}/defaults: there are none, as on the hosted service."""
        self.find(request.path_params["name"])
        return as_json(None)

    def status(self, request: Request, body: bytes) -> Response:
        """GET /backends/{name}/status"""
        backend = self.find(request.path_params["name"])
        return as_json(backend.status(self._waiting(backend)))

    def _waiting(self, backend: Backend) -> int:
        return self._store.count("Queued", backend.name)
