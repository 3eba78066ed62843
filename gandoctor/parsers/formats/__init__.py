"""The formats of training logs: every module here is a parser (`gandoctor.parsers.registry.Parser`)."""
