"""How long the readers take over inputs that grow: ordinary ones and those that are meant to make them slow."""
