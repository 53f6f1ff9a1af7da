"""What a camera does to a plate: small effects with drawn, recorded, replayable parameters."""
