"""Types of event: storms, floods, animals and illness."""

from __future__ import annotations

from softalign.data.newsbriefs.grammar import Event
from softalign.data.newsbriefs.mechanisms import casualties, lines, located

STORM = Event(
    "storm",
    {"place": "town", "count": "hundreds", "site": "building", "day": "weekday", "dead": "small"},
    lines(
        (
            "A storm [tore] the roof off {site} on {day}.",
            "A storm [ripped] the roof off {site}@where on {day}@power@dead.",
        ),
        (
            "Hail the size of eggs [struck] on {day} and broke every window of {site}.",
            "{day} hail [hit] {site}@where@power@dead.",
        ),
        (
            "On {day} strong winds brought a tree down on {site}, which [stays] shut.",
            "Winds felled a tree on {site}@where on {day}@power@dead, and it [remains] shut.",
        ),
        (
            "Lightning [struck] {site} twice during a storm on {day}.",
            "Lightning [hit] {site}@where in a storm on {day}@power@dead.",
        ),
    ),
    {
        "where": located("the worst of the storm"),
        "power": lines(
            ("{count} homes [lost] power.", ", [cutting] power to {count} homes"),
            (
                "The grid operator first said that {count~} homes were dark. It later [put] the number at {count}.",
                ", [leaving] {count} homes dark",
            ),
            (
                "By night {count} homes had no electricity, down from {count~} at noon.",
                ", with {count} homes without electricity by night",
            ),
            (
                "Some {count} households [sat] in the dark, not {count~} as earlier stated.",
                ", [leaving] {count} households dark",
            ),
        ),
        "dead": lines(
            ("{dead} people were [killed].", " and [killing] {dead} people"),
            ("{dead~} people were feared dead at first. / The [death] toll is {dead}.", ", with {dead} [deaths]"),
        ),
    },
    (
        "The weather service in {town7} had warned of gusts of {share7} kilometres an hour.",
        "In {past7} a storm had left {count~8} homes in {town8} without power.",
        "More rain is forecast for {town9} on {weekday9}.",
        "{person7} of the weather service called it storm number {small7} of the season.",
        "The roof of the house of {person8} in {town8} held, {person8.they} said.",
    ),
)

FLOOD = Event(
    "flood",
    {"place": "town", "count": "count", "river": "river", "day": "weekday", "site": "building"},
    lines(
        (
            "The [River] {river} [burst] its banks on {day}.",
            "The [River] {river} [overflowed] its banks@where on {day}@homes@site.",
        ),
        (
            "High water on the [River] {river} [broke] a dyke on {day}.",
            "The {day} flood of the [River] {river} [breached] a dyke@where@homes@site.",
        ),
        (
            "After days of rain the [River] {river} [rose] over its wall on {day}.",
            "The [River] {river} [flooded] over its wall on {day}@where@homes@site.",
        ),
    ),
    {
        "where": located("the flood"),
        "homes": lines(
            ("{count} families had to [leave] their homes.", ", [driving] {count} families out"),
            (
                "The first plan was to move {count~} families. / In the end {count} were [moved].",
                ", and {count} families were [evacuated]",
            ),
            (
                "{count.a} families [left] in the morning and {count.b} at night.",
                "; {count} families [had to leave] their homes",
            ),
            ("Of {count+} families who were warned, {count} [moved out].", ", and {count} of {count+} families [left]"),
        ),
        "site": lines(
            ("The water reached {site} but not {site~}.", ", with {site} under water"),
            ("{site~.the} stayed dry, while {site} was flooded.", ", with {site} flooded"),
            ("Helpers saved {site~}. They gave up {site}.", ", and {site} was lost"),
        ),
    },
    (
        "The River {river7}, which joins it at {town7}, fell by {count~7} centimetres.",
        "{count~8} soldiers from {town8} filled sandbags.",
        "In {past7} the water had stood {small7} centimetres higher.",
        "{person7} from {town9} offered {person7.their} barn to {count~9} cows.",
    ),
)

ESCAPE = Event(
    "escape",
    {"place": "town", "animal": "animal", "hideout": "hideout", "days": "small", "day": "weekday"},
    lines(
        (
            "{animal.an} from the zoo was [found] in {hideout} on {day}.",
            "A missing {animal} was [caught] in {hideout}@where on {day}@days@finder.",
        ),
        (
            "A child [saw] the missing {animal} on {day} in {hideout}, and keepers came with a net.",
            "A child [spotted] a runaway {animal} in {hideout}@where on {day}@days@finder.",
        ),
        (
            "On {day} keepers [caught] {animal.an} in {hideout}.",
            "Zoo keepers [captured] a lost {animal} in {hideout}@where on {day}@days@finder.",
        ),
    ),
    {
        "where": located("the hiding place"),
        "days": lines(
            ("It had been [free] for {days} days.", " after {days} days at [large]"),
            (
                "The zoo first said {days~} days, but {days} had [passed] since the escape.",
                ", {days} days after it [escaped]",
            ),
            (
                "For {days} days it had [hidden], while {animal~} hunts were all that people talked of.",
                " after [hiding] for {days} days",
            ),
        ),
        "finder": lines(
            ("It was [unhurt].", ", and it was [well]"),
            ("A broken [leg] will have to heal.", " with an injured [leg]"),
            ("It had lost {count7} kilograms but [ate] at once.", ", thin but [eating]"),
        ),
    },
    (
        "Callers had claimed to see it in {hideout~7} in {town7}.",
        "Last year {animal~7.an} got away from the zoo of {town8}.",
        "The vet, {person7}, is from {town9}.",
        "The zoo has {count8} other animals and {small8} keepers.",
        "{person8} had left a gate open on {weekday8}.",
    ),
)

OUTBREAK = Event(
    "outbreak",
    {"place": "town", "illness": "illness", "count": "count", "site": "building", "day": "weekday"},
    lines(
        (
            "Doctors [reported] an outbreak of {illness} on {day}.",
            "Doctors [announced] on {day} an outbreak of {illness}@where@toll@site.",
        ),
        (
            "An outbreak of {illness} was [over], the health office said on {day}.",
            "An outbreak of {illness}@where has [ended], officials said on {day}@toll@site.",
        ),
        (
            "Tests on {day} [showed] that it was {illness} and not {illness~}.",
            "{day} tests [confirmed] an outbreak of {illness}@where@toll@site.",
        ),
    ),
    {
        "where": located("the outbreak"),
        "toll": casualties("people", "ill", "sick"),
        "site": lines(
            ("It [began] at {site}.", "; it [started] at {site}"),
            ("{site~.the} was cleared. / The [source] was {site}.", ", [traced] to {site}"),
            ("At first {site~} was suspected; the [germs] came from {site}.", ", with {site} as the [source]"),
        ),
    },
    (
        "In {town7} there were {count7} cases of {illness~7}.",
        "{person7}, a doctor in {town8}, asked people to wash their hands.",
        "The laboratory needs {small7} days for a test.",
        "The last outbreak was in {past7}, on {street7}.",
    ),
)

EVENTS = (STORM, FLOOD, ESCAPE, OUTBREAK)
