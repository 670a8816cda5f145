"""Shape: what crosses a wall; imports nothing of ours."""
