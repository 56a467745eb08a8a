"""What a model may see, touch and spend while it looks for a fix."""
