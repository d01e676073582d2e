"""Other products' HTTP shapes over the engine, a module each. None knows another, and none holds a rule of its own."""

from web.dialects import aacsearch, open_archiver, opensolr

BLUEPRINTS = (*opensolr.BLUEPRINTS, *aacsearch.BLUEPRINTS, *open_archiver.BLUEPRINTS)
