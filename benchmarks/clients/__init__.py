"""The others: each loads a file into an index in a process of its own and prints its wall and CPU seconds as JSON."""
