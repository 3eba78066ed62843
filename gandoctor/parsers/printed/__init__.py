"""Printed logs: lines of text, of whatever shape, to signals."""
