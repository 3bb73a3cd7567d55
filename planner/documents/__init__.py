"""Plan documents of a finished result: atlas, Word annex, workbook and GIS handover; ``jinyi export`` writes them."""
