WHO = "world"
