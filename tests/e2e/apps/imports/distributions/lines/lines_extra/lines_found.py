found = "by .pth"
