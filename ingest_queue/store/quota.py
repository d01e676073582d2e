"""What is taken of an account's quota. The scripts take, charge and give back; this only reads, for what people are told."""

from datetime import UTC, datetime

from ingest_queue.quota import Quota, quota_of
from ingest_queue.store import keys
from ingest_queue.store.connect import Client


class Quotas:
    """The quotas of one Redis."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def used(self, account: str) -> Quota:
        """Return the account's limit and what is taken in the current month; an unknown account has no limit."""
        seconds, _ = self._client.time()
        month = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m}"
        pipe = self._client.pipeline(transaction=False)
        pipe.hget(keys.ACCOUNT(account), "quota")
        pipe.get(keys.QUOTA(account, month))
        limit, taken = pipe.execute()
        return quota_of(month, int(limit or 0), int(taken or 0))
