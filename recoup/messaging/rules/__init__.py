"""What a message is by law: computed from its content, the relation to its reader and their country (D16, J12).

Not legal advice: a dated table that comes with the product, and each shop's own changes, of which none is ever overwritten.
"""
