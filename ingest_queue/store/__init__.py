"""The record in Redis: the truth about every job. Beside `workers/`, the only importer of redis."""
