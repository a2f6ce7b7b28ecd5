"""Local record + link + settings → the next step towards "it stands there". Pure: the heart of the engine.

Decisions are data: they can be shown, stored and tested. What can be known beforehand is a cause *before* anything is
sent; what a record refers to must be linked first (customer → item → invoice). `next_step` decides, with one module
for each kind of record; `open_attempts` finds out what became of what was sent already.
"""
