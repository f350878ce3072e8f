"""The quotes engine: what clients ask a price for becomes a quote, and each quote that goes out comes to an answer."""
