"""The engagement engine: nobody the tenant knows is left unheard for longer than the promise."""
