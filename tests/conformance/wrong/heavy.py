"""A solution right in all but one thing: importing it imports numpy."""

import numpy as np
from wrong.solutions import Right


class Heavy(Right):
    number = np.float64(1)
