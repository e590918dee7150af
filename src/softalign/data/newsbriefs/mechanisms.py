"""Ways to tell a fact that many events share: plainly, corrected, revised, as a sum or subset, by description.

Each function gives the lines of one fact. `it` is the event as the report calls it ("the fire").
"""

from __future__ import annotations

from softalign.data.newsbriefs.grammar import Line


def lines(*pairs: tuple[str, str]) -> tuple[Line, ...]:
    return tuple(Line.of(report, summary) for report, summary in pairs)


def located(it: str) -> tuple[Line, ...]:
    """Where: the role `place`."""
    return lines(
        (f"{it} was in {{place}}.", " in {place}"),
        ("The place where it happened is {place}, <some|about> {count~7} kilometres from {place~7}.", " in {place}"),
        (
            f"An earlier report that {it} was in {{place~}} was wrong. / <It has since been established|Police now say|"
            "Officials have confirmed> that the [town] concerned is {place}.",
            " in the [town] of {place}",
        ),
        (f"{it} was in {{place}} and not, as <first|earlier|wrongly> reported, in {{place~}}.", " in {place}"),
        (
            f"At first {{place~}} was named as the scene of {it}. That was a mistake: it was {{place}}.",
            " in {place}",
        ),
        (f"{{place~}} was spared, but nearby {{place}} was not: {it} was there.", " at {place}"),
        (
            f"Callers spoke of {{place~}} and of {{place}}; only the second turned out to be right for {it}.",
            " in {place}",
        ),
        (
            f"Callers spoke of {{place}} and of {{place~}}; only the first turned out to be right for {it}.",
            " in {place}",
        ),
    )


def debated() -> tuple[Line, ...]:
    """Where, of a decision or a demand: the role `place`."""
    return lines(
        ("The decision is for {place}.", " in {place}"),
        ("All this is about {place}; {place~} will decide in {count7} weeks.", " in {place}"),
        (
            "An earlier report named {place~} by mistake. It is [the town] of {place} that is meant.",
            " in [the town] of {place}",
        ),
        ("While {place~} is still talking, {place} has made up its mind.", " in {place}"),
        ("Visitors from {place~} had followed the debate in {place}, where it was held.", " in {place}"),
    )


def casualties(people: str, state: str, noun: str = "injured") -> tuple[Line, ...]:
    """How many: the role `count` of a type that a report can split into two numbers."""
    return lines(
        (f"{{count}} {people} were [{state}].", f", leaving {{count}} {people} [{noun}]"),
        (
            f"The first <estimate|count|figure> was {{count~}} {people} {state}. / The <final|latest|official> "
            f"<count|figure|number> [was] {{count}}.",
            f", with {{count}} {people} [{noun}]",
        ),
        (
            f"<At first|Early on|Initially> there was talk of {{count~}} {people} [{state}]. That number "
            f"was <later|since> "
            "<corrected|changed|revised> to {count}.",
            f", leaving {{count}} {people} [{noun}]",
        ),
        (
            f"{{count.a}} women and {{count.b}} men were [{state}].",
            f", with {{count}} {people} [{noun}]",
        ),
        (
            f"On the spot {{count.a}} {people} were {state}. Another {{count.b}} were found to be [{noun}] later.",
            f", leaving a total of {{count}} [{noun}]",
        ),
        (
            f"Of the {{count+}} {people} who were there, {{count}} were [{state}].",
            f", leaving {{count}} of {{count+}} {people} [{noun}]",
        ),
        (
            f"Reports of {{count~}} {people} {state} were <false|wrong|mistaken>. / A <spokeswoman|spokesman|doctor> "
            "<put|gave> the true [number] as {count}.",
            f", with the [number] {noun} at {{count}}",
        ),
    )


def total(things: str, summary: str) -> tuple[Line, ...]:
    """How many of `things`: the role `count`, told as it is, revised, corrected or as a sum."""
    return lines(
        (f"The number of {things} is {{count}}.", summary),
        (f"The first count of {{count~}} {things} was too <low|high>; it is {{count}}.", summary),
        (
            f"A figure of {{count~}} {things} was given out <at first|in the morning|early on>. / "
            "<By evening|In the end|Later> it stood at {count}.",
            summary,
        ),
        (f"There are {{count.a}} {things} on one list and a further {{count.b}} on a second.", summary),
        (f"Not {{count~}} but {{count}} {things} are on the <final|official|full> list.", summary),
    )


def described(panel: str, chosen: str) -> tuple[Line, ...]:
    """Who: the role `who`, which has to be found by the job (role `job`) that the decision names."""
    verdict = f"<{panel}> {chosen} the {{job}}."
    return lines(
        (f"Two names were on the list: {{who}}, {{job.an}}, and {{who~}}, {{job~.an}}. / {verdict}", "{who}"),
        (f"Two names were on the list: {{who~}}, {{job~.an}}, and {{who}}, {{job.an}}. / {verdict}", "{who}"),
        (f"{{job.an}}, {{who}}, stood against {{who~}}, {{job~.an}}. / {verdict}", "{job.bare} {who}"),
        (f"{{job~.an}}, {{who~}}, stood against {{who}}, {{job.an}}. / {verdict}", "{job.bare} {who}"),
        (f"{{who~}} had been the favourite. / {panel.split('|')[0]} {chosen} {{who}} instead.", "{who}"),
        (
            f"{panel.split('|')[0]} {chosen} {{who}}, {{job.an}} from {{town7}}. / {{who~}} came second.",
            "{job.bare} {who}",
        ),
    )
