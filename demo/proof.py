"""The end, proven: what was accepted is accounted for, and the index holds exactly what the file said."""

from opensearchpy import OpenSearch
from opensearchpy.helpers import scan

from demo.cities import Expected, digest
from demo.screen import Screen
from demo.stage import Stage
from ingest_queue.states import State
from ingest_queue.wire import Job

ALTERNATE_NAME, CITY_ID, CITY = "Monaco di Baviera", "2867714", "Munich"


def prove(stage: Stage, screen: Screen, job: Job, expected: Expected) -> bool:
    """Check every claim and print it; return whether all hold."""
    screen.step("The end, proven")
    counts, alias = job["counts"], job["index"]["id"]
    failed = {failure["line"]: failure["code"] for failure in stage.client.all_failures(job["id"])}
    done = sum(counts[name] for name in ("succeeded", "failed", "skipped"))
    with OpenSearch(stage.search_url) as search:
        search.indices.refresh(index=alias)
        in_index = search.count(index=alias)["count"]
        found = {hit["_id"]: digest(hit["_source"]) for hit in scan(search, index=alias, size=2000)}
        hits = search.search(index=alias, body={"query": {"match_phrase": {"alternate_names": ALTERNATE_NAME}}})
    names = {hit["_id"]: hit["_source"]["name"] for hit in hits["hits"]["hits"]}
    claims = (
        (State(job["state"]) is State.COMPLETED, f"the job is {job['state']}"),
        (
            expected.documents == counts["total"] == done,
            "accepted {:,} = succeeded {succeeded:,} + failed {failed:,} + skipped {skipped:,}".format(
                expected.documents, **counts
            ),
        ),
        (failed == expected.codes, f"exactly the {len(expected.codes)} broken lines failed, each with its own code"),
        (counts["duplicates"] == expected.duplicates, f"{counts['duplicates']:,} repeated ids were noticed"),
        (
            in_index == counts["succeeded"] - counts["duplicates"],
            f"the index counts {in_index:,} = succeeded {counts['succeeded']:,} - duplicates {counts['duplicates']:,}",
        ),
        (found == expected.contents, f"{len(found):,} documents in the index compared with the file: all the same"),
        (CITY_ID in names, f"a search for '{ALTERNATE_NAME}' finds {names.get(CITY_ID, 'nothing')} ({CITY})"),
    )
    shown = [screen.claim(holds, text) for holds, text in claims]  # all of them, also behind one that fails
    return all(shown)
