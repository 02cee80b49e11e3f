"""What the independent readers share: streams of several pieces, and answers that are asked for once."""


def joined(packed, begin, error, name, fault, padding=b""):
    """What all pieces of a stream decode to; `padding` may follow the last one.

    `begin` makes a decoder of the format `name`, `error` is what that raises, `fault` what is raised in its place.
    """
    plain = b""
    while packed.strip(padding) if padding else packed:
        piece = begin()
        try:
            plain += piece.decompress(packed)
        except error as cause:
            raise fault(name) from cause
        if not piece.eof:
            raise fault(f"{name} ends early")
        packed = piece.unused_data
    return plain


def once(known, key, look, fault):
    """What `look` gives, or the fault that it raises, kept in `known`."""
    if key not in known:
        try:
            known[key] = look()
        except fault as found:
            known[key] = found
    if isinstance(known[key], fault):
        raise known[key]
    return known[key]
