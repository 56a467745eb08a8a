"""The nouns: frozen, typed, standard library only. Everything else speaks in these words."""
