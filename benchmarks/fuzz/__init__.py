"""Damaged, mutilated and invented logs for the readers: nothing but `GandoctorError`, no hang, bounded memory."""
