"""One set of claims about every way in over HTTP. An adapter a surface says what it speaks; `speaking` picks from them."""

from typing import Final

import pytest

from tests.redis.conformance.aacsearch import Aacsearch
from tests.redis.conformance.native import Native
from tests.redis.conformance.open_archiver import OpenArchiver
from tests.redis.conformance.opensolr import Opensolr
from tests.redis.conformance.surface import Surface, Verb

SURFACES: Final[dict[str, type[Surface]]] = {surface.name: surface for surface in (Native, Opensolr, Aacsearch, OpenArchiver)}


def speaking(*verbs: Verb) -> pytest.MarkDecorator:
    """Make a claim of all surfaces that speak these verbs."""
    names = [name for name, surface in SURFACES.items() if surface.verbs.issuperset(verbs)]
    return pytest.mark.parametrize("surface", names, indirect=True)


def speaking_each(*verbs: Verb, also: tuple[Verb, ...] = ()) -> pytest.MarkDecorator:
    """Make a claim of each of these verbs on all surfaces that speak it, and `also`."""
    able = {name: surface.verbs for name, surface in SURFACES.items() if surface.verbs.issuperset(also)}
    pairs = [(name, verb) for name, spoken in able.items() for verb in verbs if verb in spoken]
    return pytest.mark.parametrize(("surface", "verb"), pairs, indirect=["surface"])
