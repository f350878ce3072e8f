"""The requests engine: what a client asks of a person, complains of or threatens reaches a person, with the words."""
