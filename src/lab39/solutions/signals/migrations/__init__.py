"""Migrations of the board's tables: the branch ``signals``."""
