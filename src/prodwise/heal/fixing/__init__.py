"""How a repair is believed: a reproducer, gates without a model, and the story that tries proposals until one passes them all."""
