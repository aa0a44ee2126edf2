"""A scripted provider: it speaks every format the clients need, on loopback, and keeps what it said that it used.

The first part of a path is the mount it stands behind. The numbers are drawn from a fixed seed: no two calls have the
same, and a run can be repeated.
"""

from .server import Provider
from .usage import Used

__all__ = ["Provider", "Used"]
