"""Tables: cells to numbers, rows and columns to signals, and what the steps of rows mean."""
