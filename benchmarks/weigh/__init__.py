"""What each piece of evidence is worth, fitted to runs whose outcome is known."""
