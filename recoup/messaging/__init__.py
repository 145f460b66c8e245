"""Templates, outgoing messages, their classes, lanes and deliveries, and the port that a channel implements.

Woken by process steps calling down and by the sender loop; gives `MessageSettled`, `MessageOpened`, `MessageClicked`.
"""
