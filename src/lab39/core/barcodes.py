"""The codes printed on a photograph: DataMatrix, QR, EAN."""

from __future__ import annotations

import io

from lab39.core.errors import InputError
from lab39.core.text import Text

MAX_PIXELS = 60_000_000


def read(content: bytes) -> tuple[str, ...]:
    """What each code on a picture says, without repeats; a GS1 code keeps its separators.

    Args:
        content: of a JPEG, PNG or WebP file.

    Raises:
        InputError: not a picture, too large, or without a code that can be read.
    """
    import zxingcpp
    from PIL import Image, UnidentifiedImageError

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
    found = [each for each in zxingcpp.read_barcodes(grey) if each.valid and each.text]
    texts = tuple(
        dict.fromkeys(
            bytes(each.bytes).decode("latin-1") if each.content_type == zxingcpp.ContentType.GS1 else each.text
            for each in found
        )
    )
    if not texts:
        raise InputError(
            Text(
                "aucun code lu sur la photo\u202f: la reprendre de plus près, bien à plat, ou taper le nom",
                "no code read on the picture: take it again from nearer, flat, or type the name",
            ),
            "scan",
        )
    return texts
