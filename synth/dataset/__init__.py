"""Data sets: shards in any format, readers of ours and of other people's, splits, counts, validation."""
