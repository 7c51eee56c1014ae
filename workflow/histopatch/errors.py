"""The one kind of error that is the user's to mend."""


class InputError(ValueError):
    """Something that the user gave is wrong.

    The message is one line that names the key, the file or the row, and says what to do.
    """
