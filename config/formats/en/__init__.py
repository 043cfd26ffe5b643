"""British customs: the pages in English are read in Europe."""
