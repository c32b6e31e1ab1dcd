"""What each page shows, put together from the desk."""
