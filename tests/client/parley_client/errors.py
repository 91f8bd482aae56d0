"""What a decoder or a check says of octets that break the page."""


class Refused(ValueError):
    """Octets that PROTOCOL.md forbids; `rule` is one of section 9.3."""

    def __init__(self, why, rule="MALFORMED"):
        super().__init__(why)
        self.rule = rule


class NewerVersion(Refused):
    """Not a fault of the sender: this program is too old (section 2.5)."""

    def __init__(self, why):
        super().__init__(why, "NEWER-FORMAT")


def check(condition, why, rule="MALFORMED"):
    if not condition:
        raise Refused(why, rule)
