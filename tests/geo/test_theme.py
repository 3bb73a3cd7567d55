"""The one look: a figure and its class agree, labels tell what a class holds, and colours are told apart."""

import pytest

from geo import theme


def test_figure_and_class_agree():
    assert theme.figure(5.996) == "6.00"
    assert theme.class_of(5.996, theme.BEDS_PER_1000) == theme.class_of(6.0, theme.BEDS_PER_1000) == 2
    assert theme.class_of(5.994, theme.BEDS_PER_1000) == 1


def test_a_class_holds_its_lower_break():
    assert [theme.class_of(value, (5.0, 6.0)) for value in (4.99, 5.0, 5.99, 6.0)] == [0, 1, 1, 2]


@pytest.mark.parametrize("absent", [None, float("nan")])
def test_absence_is_no_class_and_a_dash(absent):
    assert theme.class_of(absent, theme.BEDS_PER_1000) is None
    assert theme.figure(absent) == "—"
    assert theme.class_counts([absent, 4.0], (5.0, 6.0)) == [1, 0, 0]


def test_no_change_has_a_class_of_its_own():
    labels = theme.class_labels(theme.BEDS_CHANGE, signed=True)
    middle = len(labels) // 2
    assert labels[middle] == "0.00"
    assert labels[middle - 1] == "−0.50–−0.01"
    assert labels[middle + 1] == "+0.01–+0.49"
    assert {theme.class_of(value, theme.BEDS_CHANGE) for value in (-0.004, 0, 0.004)} == {middle}
    assert len(theme.diverging(len(labels))) == len(labels)


def test_labels_name_every_class():
    assert theme.class_labels((5.0, 6.0)) == ["< 5.00", "5.00–5.99", "≥ 6.00"]
    assert len(theme.sequential(len(theme.BEDS_PER_1000) + 1)) == len(theme.class_labels(theme.BEDS_PER_1000))


def test_figures_are_separated_signed_and_never_minus_zero():
    assert theme.figure(34915616, 0) == "34,915,616"
    assert theme.figure(-1.5, signed=True) == "−1.50"
    assert theme.figure(1.5, signed=True) == "+1.50"
    assert theme.figure(-0.001, signed=True) == "0.00"


def test_difference_scale_is_symmetric():
    assert theme.diverging(3) == theme.PUOR[3:6]
    with pytest.raises(ValueError, match="not 4"):
        theme.diverging(4)


def test_centres_keep_their_colour_in_the_order_given():
    assert theme.catchment_colours(["b", "a", "b"]) == {"b": theme.OKABE_ITO[0], "a": theme.OKABE_ITO[1]}
    assert len(set(theme.OKABE_ITO)) == len(theme.OKABE_ITO)
    assert theme.ALARM not in theme.OKABE_ITO


def test_tint_runs_from_white_to_the_colour():
    assert (theme.tint("#0F766E", 0), theme.tint("#0F766E", 1)) == ("#FFFFFF", "#0F766E")


def test_ink_is_chosen_by_contrast():
    light, *_, dark = theme.sequential(6)
    assert (theme.text_on(light), theme.text_on(dark)) == (theme.INK, theme.PAPER)
