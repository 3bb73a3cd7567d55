"""What is planned: beds, stations, ambulances and regional centres. Each takes region and standards and returns tables and a proof."""
