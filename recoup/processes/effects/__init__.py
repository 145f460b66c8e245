"""How what blocks ask of the world is carried out: one module an effect, `table.py` lists them.

Everything happens in the transaction of the step: rows are written and news is announced, nothing is called.
"""
