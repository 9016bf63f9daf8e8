"""Why an invocation came to nothing."""


class InvokeError(RuntimeError):
    """The function can't be invoked here, or failed; the message is one line that says what is missing, or how."""

    def __init__(self, message: str, *, status: int = 1) -> None:
        """Take the line, and the exit status of the command that ends with it."""
        super().__init__(message)
        self.status = status
