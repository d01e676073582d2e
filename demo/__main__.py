"""`python -m demo`: the whole story on one machine, with no server but those that come with us. Exit 0 when all held."""

import argparse
import logging
import sys

from demo import story
from demo.interrupts import Interrupts
from demo.proof import prove
from demo.screen import Screen
from demo.stage import NotReady, Stage, stage
from ingest_queue.client import ClientError
from ingest_queue.errors import Unavailable


def main() -> int:
    """Tell the story; 0 when every claim held, 1 when one did not, 130 after Ctrl-C."""
    arguments = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    arguments.add_argument("--cities", type=int, default=15000, choices=(500, 1000, 5000, 15000), help="least people")
    min_population = arguments.parse_args().cities
    logging.getLogger("ingest_queue").setLevel(logging.ERROR)  # what the servers' start warns of is said below
    screen = Screen()
    interrupts = Interrupts()
    try:
        screen.step("Start an embedded Redis, an in-memory search server, web and two workers")
        with stage(interrupts) as made:
            return play(made, screen, min_population)
    except KeyboardInterrupt:
        print("\nInterrupted; everything that was started has ended.")
        return 130
    except (ClientError, NotReady, Unavailable, story.TooQuick) as problem:
        print(f"\nThe demo failed: {problem}", file=sys.stderr)
        return 1
    finally:
        screen.say(f"Took {screen.elapsed_s:.0f} s.")


def play(made: Stage, screen: Screen, min_population: int) -> int:
    """Tell the story on a stage that is ready; return the exit code."""
    screen.say(
        f"API {made.url}/api, Redis {made.redis_url}, search {made.search_url}",
        "Redis and search are the embedded ones: for trying out, never for data that matters.",
    )
    job, expected = story.submit(made, screen, min_population)
    rested = story.pause_and_resume(made, screen, job)
    taken_over = story.kill_holder(made, screen, job)
    job = story.watch_to_the_end(made, screen, job)
    proven = prove(made, screen, job, expected)
    all_held = rested and taken_over and proven
    print("\nEverything held." if all_held else f"\nNot everything held; the log was:\n{made.log.read_text()[-8000:]}")
    return 0 if all_held else 1


if __name__ == "__main__":
    sys.exit(main())
