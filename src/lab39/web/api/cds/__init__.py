"""CDS Hooks 2.0.1: what a clinician's own software shows of the lab's findings, at the moment they matter."""
