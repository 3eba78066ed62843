"""Binary records: the frames, checksums and messages of event files and of W&B's history."""
