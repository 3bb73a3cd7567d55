"""Facts on the ground: boundaries, people, distances and maps. Knows nothing of planning."""
