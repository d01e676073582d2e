"""Bytes in, chunks out: how a submission becomes a stored payload. Knows no Redis and no HTTP server.

    body.read_body       the request's bytes, decoded, at most 1 MiB at a time, never more than allowed
    lines.ndjson_lines   blocks of whole lines, as they came
    arrays.array_lines   the same from a JSON array: its elements become the lines
    payload.cut          numbered chunks of about `chunk_bytes`; `payload.lines` reads them back

A payload is never held whole, never parsed and never written anew: the bytes of each document are the submitter's.
"""
