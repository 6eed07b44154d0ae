"""A real job service on this machine: the REST API of the hosted one, qiskit-aer behind it.

    a user's process              the service's process                        where jobs run
    owner/                        serving    puts it together                  simulation/
      process  starts, ends  ──▶  web/       HTTP                              runner     a worker process
      joining  finds, shares        gate, intake       what requests pass      programs   what jobs may name:
      launch   the process          app, routes, ...   the end points            primitives, executor, mocks
      control  faults, requests     bodies, wire       what is read            simulate   circuits on Aer
      ownership  who has a folder   openapi, schemas   the same, described       isa, noise, options
                                  jobs/      SQLite: store, lists, pruning     packed     what must not unpack
    settings, limits, backends    queue/     whose turn, and where:
      what is asked for             line, scheduler, outlook
                                    crew, workers, guard    own processes ──▶
                                    futures, cluster        others' engines ──▶ remote

Only what runs jobs imports qiskit, so that the service answers at once and never waits for a simulation.
"""
