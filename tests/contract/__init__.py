"""What a client of the service can rely on, shown with real clients in processes of their own.

A scenario (`scenarios/`) is a function that uses a client and returns facts; what they must be stands above
it. `run.py` runs scenarios in a process (`driver.py`) whose client is one of `clients.py`, `test_*.py` does
so with each client, so that every failure names scenario and client.
"""
