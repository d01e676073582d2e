"""(7) The run loop: carries a payload's documents from the cursor into the index. It names no state."""

from collections.abc import Callable
from dataclasses import dataclass

from ingest_queue.errors import SinkAway
from ingest_queue.run.bulks import NO_FIELDS, Cutter
from ingest_queue.run.pool import Pool
from ingest_queue.run.protocols import Decode, Fields, Observe, Run, Sink, Source
from ingest_queue.run.seen import Seen
from ingest_queue.run.tally import tally
from ingest_queue.run.window import Window
from ingest_queue.states import Event


@dataclass(frozen=True, slots=True)
class Limits:
    """How much at once. in_place_s: how long a run waits for a busy cluster before it frees its worker."""

    bulk_documents: int = 5000
    bulk_bytes: int = 5 << 20
    bulks_in_flight: int = 2
    in_place_s: float = 60.0


def ingest(
    run: Run,
    source: Source,
    sink: Sink,
    decode: Decode,
    limits: Limits,
    *,
    fields: Fields = lambda: NO_FIELDS,
    away: Callable[[str], None] = lambda _reason: None,
    observe: Observe = lambda _seconds, _refused: None,
    pool: Pool | None = None,
) -> Event:
    """Carry a payload from its cursor into the index; return the event that ends this run.

    Documents in [processed, sent_to) may or may not be in the index. So a run announces before it sends, and
    heeds a halt only beyond what was announced: first it settles what a lost run left in doubt. RunLost and JobFailed
    pass. `fields` tells which open fields the lines decoded since its last call have; `away` hears why the cluster
    takes nothing when the run gives its worker back; `observe` hears of each bulk request that was answered.
    """
    event = Event.HALT
    progress = run.job.progress
    rejects = run.job.options.get("on_duplicate") == "reject"
    cutter = Cutter(decode, Seen(), limits.bulk_documents, limits.bulk_bytes, rejects, fields)
    cut_at = run.sent_to
    for _ in cutter.recall(source.after(0, run.cursor)):
        run.checkpoint(progress, ())  # renews the lease
    with Window(sink, limits.bulks_in_flight, run, in_place_s=limits.in_place_s, observe=observe, pool=pool) as window:

        def checkpoint(announce: int | None = None) -> int:
            """Fold the longest answered prefix, save it, renew the lease."""
            nonlocal progress
            answered = window.answered()
            for bulk in answered:
                progress = tally(progress, bulk)
            return run.checkpoint(progress, [outcome for bulk in answered for outcome in bulk.outcomes], announce)

        try:
            for bulk in cutter.bulks(source.after(run.cursor), cut_at):  # none crosses the old sent_to
                body = sink.pack(bulk.entries)  # here, not in a thread that would wait for this one to stop computing
                while not window.has_room(within_s=1):  # refused documents back off and go again in there
                    checkpoint()
                if run.should_halt():  # shutdown, end of the slice, parent gone
                    break
                sent_to = checkpoint(announce=bulk.end)  # raised only while running
                if bulk.end > sent_to:  # asked to halt, and settled
                    break
                window.send(bulk, body)
            else:
                event = Event.COMPLETE
            while not window.is_empty(within_s=1):  # also a halt waits for what is in flight
                checkpoint()
            if event is Event.COMPLETE:
                window.refresh()  # completed means searchable
                while not window.is_empty(within_s=1):
                    checkpoint()
        except SinkAway as gone:  # no progress for in_place_s, or told to halt while backing off
            event = Event.HALT if run.should_halt() else Event.BACK_OFF
            away(str(gone))
        checkpoint()
    return event
