"""A Parley client written from common/PROTOCOL.md alone.

It shares no code with the C programs: what both accept, the page says.
Every decoder here raises Refused, with the rule that was broken.
"""
