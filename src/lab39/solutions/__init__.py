"""The solutions that come with the lab. No solution imports another; they meet through the Context."""
