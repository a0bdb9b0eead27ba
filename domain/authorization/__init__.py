"""May this card charge? The rules, the question to an eMSP, its tokens kept up to date."""
