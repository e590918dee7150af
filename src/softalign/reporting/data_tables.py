"""The data of a task in tables: what was read and kept, how long it is, and where it comes from."""

from __future__ import annotations

from softalign.reporting.tables import Results, Table, fact_table, number


def data_tables(results: Results, task: str) -> list[Table]:
    """All that there is to say of them."""
    vocabulary = fact_table(f"{task}: vocabulary", results["tasks"][task]["prepared"]["vocabulary"])
    found = [
        split_table(results, task),
        length_table(results, task),
        vocabulary,
        origin_table(results, task),
        corpus_table(results, task),
    ]
    return [table for table in found if table]


def split_table(results: Results, task: str) -> Table:
    """What cleaning did to each split."""
    splits = results["tasks"][task]["prepared"]["splits"] | results["tasks"][task]["shifted"]
    keys = list(dict.fromkeys(key for counts in splits.values() for key in counts))
    rows = [[split, *[number(counts.get(key)) for key in keys]] for split, counts in splits.items()]
    return Table(f"{task}: rows", ["split", *[key.replace("_", " ") for key in keys]], rows)


def length_table(results: Results, task: str) -> Table:
    """How long the sources and targets of each split are."""
    lengths = results["tasks"][task]["prepared"]["lengths"]
    found = {
        f"{split}, {side.replace('_', ' ')}": figures
        for split, sides in lengths.items()
        for side, figures in sides.items()
    }
    keys = list(dict.fromkeys(key for figures in found.values() for key in figures))
    rows = [[name, *[number(figures.get(key)) for key in keys]] for name, figures in found.items()]
    return Table(f"{task}: lengths", ["", *[key.replace("_", " ") for key in keys]], rows)


def origin_table(results: Results, task: str) -> Table:
    """Where the text of a task comes from, as far as there is something to say."""
    provenance = results["tasks"][task]["provenance"]
    keys = ("data", "kind", "id", "config", "revision", "licence", "citation", "shifted")
    return fact_table(f"{task}: origin", {key: provenance[key] for key in keys if provenance.get(key)})


def corpus_table(results: Results, task: str) -> Table | None:
    """How varied a generated corpus is, over all its splits together; None of text that was not generated."""
    found = results["tasks"][task]["provenance"].get("statistics")
    if found is None:
        return None
    columns = ["", "words", "different words", "seen once", "test words that train has not, %"]
    rows = [
        [
            side,
            *[f"{found[side][key]:,}" for key in ("words", "vocabulary", "seen_once")],
            number(100 * found["test_words_unseen"][side]),
        ]
        for side in ("source", "target")
    ]
    unseen = f"{100 * found['test_templates_unseen']:.0f} % of the test rows have one that train has not"
    caption = f"{task}: the generated corpus, of {found['templates']:,} templates; {unseen}"
    return Table(caption, columns, rows)
