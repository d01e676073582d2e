"""Trying Ingest Queue out on one machine: `python -m demo` tells the whole story once, `python -m demo.up` stays up.

Both start the embedded servers and the Procfile's programs, and leave no process behind. Not part of the package.
"""
