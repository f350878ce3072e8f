"""The front desk: REST routes, webhooks in, and the pages people look at."""
