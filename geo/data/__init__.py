"""The embedded regions, and the scripts that remake them from their published sources."""
