"""What can go wrong."""

from __future__ import annotations


class JerseyError(Exception):
    """The program could not read something, was not found, or ended. The text is its own message.

    `status` is the program's exit status (1: something outside is wrong, 2: the call makes no sense), or
    the HTTP status of a `Reader`; None if there is none.
    """

    def __init__(self, message: str, status: int | None = None):
        super().__init__(message)
        self.status = status
