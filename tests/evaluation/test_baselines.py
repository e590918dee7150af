from softalign.evaluation.baselines import baseline_outputs, lead


def test_lead_takes_the_first_words():
    assert lead(["one  two three", "four", ""], 2) == ["one two", "four", ""]


def test_copy_is_the_source_and_lead_is_left_out_at_zero():
    assert baseline_outputs(["a b c"], 0) == {"copy": ["a b c"]}
    assert baseline_outputs(["a b c"], 2) == {"copy": ["a b c"], "lead": ["a b"]}
