"""What an index accepts: its definition, how documents get their ids, and who may refuse a document.

Knows no Redis and sends nothing. `decode` is quick and only ever accepts; `explain` is slow, complete and alone rejects.
"""
