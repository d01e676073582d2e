"""Who may do what: accounts, users, keys, and the trail of what was done. Knows no HTTP: a request is an `Actor`."""
