"""The side of whoever opens a service: starting, sharing, ending and scripting it. No server, no qiskit."""
