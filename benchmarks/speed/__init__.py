"""How fast logs are read and runs are judged, against other readers and against the floor."""
