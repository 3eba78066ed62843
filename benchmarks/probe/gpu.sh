#!/bin/sh
# The probe's checks on a machine with CUDA, in under 90 seconds. Run it from the root of the tree:
#   sh benchmarks/probe/gpu.sh
# Nothing is installed; what is missing is said.
cd "$(dirname "$0")/../.." || exit 2
export PYTHONPATH=. PYTHONDONTWRITEBYTECODE=1 XDG_CACHE_HOME="${TMPDIR:-/tmp}/gandoctor-gpu"
python=$(command -v python3 || command -v python)
"$python" -m benchmarks.probe.gpu "${1:-cuda}"
failed=$?
if "$python" -c "import pytest" 2>/dev/null; then
    GANDOCTOR_PROBE_DEVICE="${1:-cuda}" "$python" -m pytest -q -p no:cacheprovider --noconftest \
        tests/test_probe.py 2>&1 | tail -15
fi
exit $failed
