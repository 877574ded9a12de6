place = "outside"
