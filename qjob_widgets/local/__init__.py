"""A real job service on this machine: the REST API of the hosted one, qiskit-aer behind it.

    parent process                       service process                    worker processes
    process.py  starts, owns, ends  ──▶  __main__.py  socket, uvicorn  ──▶  runner.py  one job at a time
    control.py  faults, requests         gate.py      host, log, faults,    simulate.py  isa.py
                                                      token
                                         app.py       all routes            guard.py  ends workers whose
                                         routes.py    the REST API                    service was killed
                                         store.py     jobs (SQLite)
                                         scheduler.py one thread, all workers

Only worker processes import qiskit, so that the service answers at once and never waits for a simulation.
"""
