"""What one framework that asks too much costs the others."""
