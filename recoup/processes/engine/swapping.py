"""Orders whose goods are exchanged: who is let in by that, and for whom the reason to be there is gone (J3)."""

from datetime import datetime

from recoup.processes.engine.compiled import Graph
from recoup.processes.engine.records import Facts, Swap


def lets_in(graph: Graph, swap: Swap, products: tuple[str, ...]) -> bool:
    """Tell whether an exchange brought what this process lets people in for: it was not in the order before."""
    wants = graph.wants
    return wants is not None and graph.looks_again and wants(products) and not wants(swap.was)


def is_open(facts: Facts, at: datetime) -> bool:
    """Tell whether an order was still to be paid when its goods were exchanged; else nobody is let in by that."""
    order = facts.order
    if order is None or order.cancelled_at is not None or facts.case_closed_at is not None:
        return False
    return order.paid_at is None or min(order.paid_at, order.paid_learnt_at or order.paid_at) > at


def is_without(graph: Graph, facts: Facts) -> bool:
    """Tell whether the order does not hold what this process lets people in for; how it came to that, swaps tell."""
    wants = graph.wants
    return (
        wants is not None
        and graph.ends_without
        and facts.order is not None
        and not wants(facts.order.products)
    )


def lost_at(graph: Graph, facts: Facts, entered_at: datetime) -> datetime | None:
    """Return when the reason to be in a process went away, if it did since somebody has entered.

    Whoever was put in without such a product has lost nothing.
    """
    if graph.wants is None or not is_without(graph, facts):
        return None
    for swap in reversed(facts.swaps):
        if swap.learnt_at >= entered_at and graph.wants(swap.was):
            return min(swap.at, swap.learnt_at)
    return None
