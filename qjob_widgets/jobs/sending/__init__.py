"""How circuits become jobs of the service: cut, written down, queued, sent once, and sent again."""
