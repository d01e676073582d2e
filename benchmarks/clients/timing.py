"""What each of the others tells about itself, once it is done."""

import json
import resource
import time
from types import TracebackType
from typing import Self


class Timing:
    """Measures what happens inside; prints wall and CPU seconds and the peak of memory as one line of JSON at its end."""

    def __enter__(self) -> Self:
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None:
            wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(json.dumps({"wall_s": wall, "cpu_s": cpu, "peak_mb": peak}))
