"""Files: bytes to text or one sentence, what lies below a folder, writing whole or not at all."""
