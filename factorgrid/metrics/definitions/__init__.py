"""One file per metric, named as its public function, which the room's door (`factorgrid.metrics`) offers.

Files here import what they share from the room above, and never each other.
"""
