"""How tests find, start, torment and end real servers and the project's own processes."""
