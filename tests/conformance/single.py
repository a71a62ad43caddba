"""A solution in a module of its own, in no package: nothing stands beside it."""

from wrong.solutions import Right


class Single(Right):
    pass
