"""HTTP: what every request passes, the end points, what bodies and queries may say, all that described."""
