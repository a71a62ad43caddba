"""The DataMatrix codes on a photograph of boxes."""

from __future__ import annotations

import io

from lab39.core.errors import InputError
from lab39.core.text import Text

MAX_PIXELS = 60_000_000


def read(content: bytes) -> tuple[str, ...]:
    """What the codes on a picture say: a CIP13 where it is one, else as printed; ``names.resolve`` reads both.

    Args:
        content: of a JPEG, PNG or WebP file.

    Raises:
        InputError: not a picture, too large, or without a code that can be read.
    """
    import zxingcpp
    from PIL import Image, UnidentifiedImageError

    from lab39.solutions.pharmacy.codes import read_code

    try:
        picture = Image.open(io.BytesIO(content))
        if picture.width * picture.height > MAX_PIXELS:
            raise InputError(
                Text("photo trop grande\u202f: 60 mégapixels au plus", "picture too large: 60 megapixels at most"),
                "scan",
            )
        grey = picture.convert("L")
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(
            Text("ce fichier n'est pas une photo (JPEG, PNG)", "this file is no picture (JPEG, PNG)"), "scan"
        ) from error
    found = zxingcpp.read_barcodes(grey)
    texts = [each.text for each in found if each.valid and each.text]
    read_as = {text: code.value for text in texts if (code := read_code(text)) and code.kind == "cip13"}
    codes = tuple(dict.fromkeys(read_as.get(text, text) for text in texts))
    if not codes:
        raise InputError(
            Text(
                "aucun code lu sur la photo\u202f: la reprendre de plus près, bien à plat, ou taper le nom",
                "no code read on the picture: take it again from nearer, flat, or type the name",
            ),
            "scan",
        )
    return codes
