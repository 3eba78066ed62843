"""Compile the page's templates anew: see `gandoctor.reporters.compiled`."""

from gandoctor.reporters import compiled, html

for path in compiled.write(html.environment()):
    print(path)
