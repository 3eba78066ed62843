"""A zoo of tiny GANs: trained here, broken on purpose, and measured on held-out data.

``train`` makes one run, ``measure`` says from measurements alone whether it turned out well,
``plan`` knows which runs there are, ``score`` compares what gandoctor says with what was measured.
"""

import os

# One thread, before anything imports numpy: several runs share the machine, and sums keep their
# order.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
