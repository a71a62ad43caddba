"""Reports and evidence cards for people: on a terminal, as a page. Both say the same findings in the same words."""
