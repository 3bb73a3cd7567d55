"""Independent oracles: what the right answer is, by ways that share no line with the code under test."""
