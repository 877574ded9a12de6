origin = "outside"
