"""How results become Qiskit's values: read once, decoded, put together, handed out as they arrive, kept."""
