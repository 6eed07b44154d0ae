"""The queue: in which order jobs run, and where: in processes of the service's own, or engines of others."""
