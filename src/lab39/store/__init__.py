"""What the lab remembers: people, records, events, jobs, outbox, blobs. One suite on SQLite and PostgreSQL."""

from lab39.store.engine import Clock, DiskFullError, Store, StoreUnavailableError, new_id, utc_now

__all__ = ["Clock", "DiskFullError", "Store", "StoreUnavailableError", "new_id", "utc_now"]
