"""Files: bytes to text or one sentence, what lies below a folder, and writing whole or not at all."""
