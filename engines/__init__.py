"""What is worth doing: each engine proposes actions and handles their outcomes, and judges nothing."""
