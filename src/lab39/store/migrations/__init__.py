"""Migrations of the lab's own tables (branch ``lab``); those of a solution stand in its own package."""
