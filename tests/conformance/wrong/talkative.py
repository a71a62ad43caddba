"""A solution right in all but two things: loading it prints, and reads the clock."""

import datetime as dt

from wrong.solutions import Right

print("hello")
TODAY = dt.date.today()  # noqa: DTZ011


class Talkative(Right):
    pass
