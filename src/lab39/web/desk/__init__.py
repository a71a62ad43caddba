"""The desk: one record, what is found about it, what is missing, what was decided."""
