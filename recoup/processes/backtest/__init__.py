"""Trying a process on orders that have been: the live code over the facts of a period, with no effects at all.

`reading` fetches the facts in pages by key, `telling` turns them into the simulator's news, `shop` is the store that they
happen to, `around` is what stands around the process (rules, texts, money, other processes), `sending` stands for the
sender, `running` does all of it, `result` and `channels` are what comes of it. `runs` keeps runs that people have asked for,
and the worker's loop that does them.
"""
