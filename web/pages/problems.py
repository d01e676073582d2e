"""A problem as a page: for people who look at one. Who is not logged in is sent to do so, and then back."""

from typing import Final

from flask import Response, make_response, redirect, render_template, request, url_for

from web.errors import Problem
from web.replies import request_id

NO_STORE: Final = {"Cache-Control": "no-store"}
_KEPT: Final = ("Retry-After", "Allow")


def page(problem: Problem) -> Response:
    """Return the problem as HTML, or the way to the login page."""
    if problem.status == 401 and request.method in ("GET", "HEAD"):
        there = url_for("pages.form", next=request.full_path.rstrip("?"))
        return make_response(redirect(there, 303), NO_STORE)
    headers = {name: value for name, value in problem.headers.items() if name in _KEPT}
    text = render_template("problem.html", problem=problem, request_id=request_id())
    return make_response(text, problem.status, headers | NO_STORE)
