"""The outside world: every vendor's SDK ends in this room."""
