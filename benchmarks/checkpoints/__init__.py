"""What checkpoints add where little was logged: labelled runs reduced to their losses."""
