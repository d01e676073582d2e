"""The seeded fault campaign: a seed is a payload, faults and moments; after them the index is what a model says it must be.

`payload` and `plan` come from the seed alone. `proxy` stands before the search server and holds a bulk while `strike` strikes.
`model` knows what the index must hold, `one` runs a seed, `report` sums up: `make faults`, `make faults SEED=7`.
"""
