"""The pages of this server, HTML for people: logging in and out, and what a page says when something went wrong."""

from web.errors import ENVELOPES
from web.pages.login import bp
from web.pages.problems import page

ENVELOPES.extend((("/login", page), ("/logout", page)))

__all__ = ["bp"]
