"""The jobs of a service: the one table of them in SQLite, its lists, and what ends or forgets them."""
