"""Does the probe hold what it promises? On the CPU by tests; on a device by ``gpu.sh``."""
