"""Ingest Queue: documents into a search index, durable and under control. The data's way through, in order:

1. `intake.body` reads the request 1 MiB at a time, decompresses, and guards the limits.
2. `intake.lines` cuts it into the original lines (`intake.arrays` for a JSON array), `intake.payload` into compressed chunks.
3. `store.payloads` keeps the chunks, within a budget of bytes; `store.records` submits the job that names them.
4. `store.lanes` gives the job a slot when its lane's turn has come, and RQ wakes a worker with its id.
5. `store.runs` is the worker's claim: a lease, renewed by each checkpoint, fenced by a token.
6. `run.source` reads the chunks again from the cursor; `run.bulks` validates each line with `schema` and fills bulks.
7. `run.window` and `run.sink` send them, sort the answers, and wait when the cluster asks for it; `run.loop` carries it all.
8. `store.runs` saves progress after each answered bulk; `states` says where the run's last event leads.
9. `engine` is what the surfaces call: submit, ask, edit, delete, read.

Beside that way: `tick` runs in every worker parent (admit, rescue, expire), `indexes` makes and deletes indexes in the
cluster, `embedded` starts servers for trying out, `client` and `cli` speak to the HTTP API from outside.
"""
