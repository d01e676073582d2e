"""RQ's side: stock `rq worker` with our classes. Everything that decides lives in `ingest_queue`."""
