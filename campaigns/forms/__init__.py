"""Forms of the campaigns pages: what people type, read into the values that the services take."""
