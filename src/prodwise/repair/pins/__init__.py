"""A package kept at an older version: found in the history, edited, resolved by its own tool where text does not do."""
