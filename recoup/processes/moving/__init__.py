"""Moving those who are inside a process to another version of it: the plan, the move in batches, the look ahead."""
