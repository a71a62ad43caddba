"""A store on each back end, empty and migrated, with a clock that tests move."""
