"""What every training needs: processes, exact resume, averages, logs, weights files."""
