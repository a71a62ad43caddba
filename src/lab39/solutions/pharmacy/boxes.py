"""The DataMatrix codes on a photograph of boxes."""

from __future__ import annotations

from lab39.core import barcodes


def read(content: bytes) -> tuple[str, ...]:
    """What the codes on a picture say: a CIP13 where it is one, else as printed; ``names.resolve`` reads both.

    Args:
        content: of a JPEG, PNG or WebP file.

    Raises:
        InputError: not a picture, too large, or without a code that can be read.
    """
    from lab39.solutions.pharmacy.codes import read_code

    texts = barcodes.read(content)
    read_as = {text: code.value for text in texts if (code := read_code(text)) and code.kind == "cip13"}
    return tuple(dict.fromkeys(read_as.get(text, text) for text in texts))
