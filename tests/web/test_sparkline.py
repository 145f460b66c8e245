"""A small line from numbers."""

from recoup.web.sparkline import sparkline_of


def test_the_line_goes_from_the_ground_to_the_top() -> None:
    spark = sparkline_of([0, 5, 10])

    assert spark is not None
    assert spark.line == "M2 26 L42 14 L82 2"
    assert spark.area == "M2 26 L42 14 L82 2 L82 28 L2 28 Z"
    assert (spark.x, spark.y) == (82.0, 2.0)


def test_a_row_of_zeros_lies_on_the_ground() -> None:
    spark = sparkline_of([0, 0])

    assert spark is not None
    assert spark.line == "M2 26 L82 26"


def test_one_number_is_no_line() -> None:
    assert sparkline_of([7]) is None
