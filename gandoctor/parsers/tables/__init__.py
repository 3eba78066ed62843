"""Tables in text: their dialect, their cells, and what their columns are called."""
