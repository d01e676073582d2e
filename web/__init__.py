"""The ways in over HTTP. Leans on `ingest_queue` and never on `workers`; holds no rule of its own."""
