"""Damaged, mutilated and invented logs for the readers.

Nothing but `GandoctorError`, no hang, bounded memory.
"""
