"""How big siting problems are answered exactly: reduction, search, bounds, and what is left to PuLP and HiGHS."""
