"""What is planned: beds, stations, ambulances and regional centres. Each returns its plan and a proof."""
