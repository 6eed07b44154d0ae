"""What runs a job: the worker and its programs, on qiskit-aer. Nothing of it is imported by the service."""
