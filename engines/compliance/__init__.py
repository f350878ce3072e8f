"""The compliance engine: what a tenant's records must hold is there in time, or somebody knows that it is not."""
