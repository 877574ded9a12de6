origin = "embedded"
