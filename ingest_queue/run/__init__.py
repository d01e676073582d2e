"""(5, 6, 7) Lines into the index: read, decode, bulk, send, fold. Knows no Redis, RQ or HTTP server; names no state."""
