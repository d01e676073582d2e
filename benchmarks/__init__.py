"""How fast we are beside the bare client and beside others: `make bench`, or `python -m benchmarks P1 P12`. Never a test."""
