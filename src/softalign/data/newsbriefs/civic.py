"""Types of event: councils, elections, roads, schools and the rest of public life."""

from __future__ import annotations

from softalign.data.newsbriefs.grammar import Event
from softalign.data.newsbriefs.mechanisms import debated, described, lines

COUNCIL = Event(
    "council",
    {"place": "town", "plan": "project", "price": "count", "street": "street", "mayor": "person", "day": "weekday"},
    lines(
        (
            "Two plans were before the council: {plan} and {plan~}. / On {day} members [voted] for the first.",
            "The council@where [voted] on {day} to build {plan}@site@price.",
        ),
        (
            "Two plans were before the council: {plan~} and {plan}. / On {day} members [chose] the second.",
            "The council@where [opted] on {day} for {plan}@site@price.",
        ),
        (
            "The mayor had proposed {plan~}. / The council would not have it and on {day} [approved] {plan}.",
            "The council@where [approved] {plan}, against the mayor, on {day}@site@price.",
        ),
        (
            "On {day} the council [turned down] {plan}.",
            "The council@where [rejected] plans for {plan} on {day}@site@price.",
        ),
        (
            "The council on {day} [put off] a decision on {plan}.",
            "The council@where [postponed] its decision on {plan} on {day}@site@price.",
        ),
    ),
    {
        "where": debated(),
        "site": lines(
            ("The site is on {street}.", " on {street}"),
            ("{street~} had been ruled out, which left {street} as the place.", " on {street}"),
            ("A first draft showed it on {street~}. The [plan] now has it on {street}.", ", [planned] for {street}"),
        ),
        "price": lines(
            ("The cost is [put] at {price} million crowns.", ", [costing] {price} million"),
            (
                "An early paper spoke of {price~} million crowns. / The [bill] would be {price} million.",
                ", at a [cost] of {price} million",
            ),
            (
                "It was to cost {price~} million crowns and now comes to {price} million.",
                " for {price} million crowns",
            ),
        ),
    },
    (
        "Neighbouring {town7} built {project7} for {count7} million crowns in {past7}.",
        "{person7}, who runs a shop on {street7}, spoke for {small7} minutes.",
        "Councillor {person8} asked for {project8} on {street8} but withdrew on {weekday8}.",
        "There were {count8} people in the gallery.",
    ),
)

ELECTION = Event(
    "election",
    {"place": "town", "who": "person", "job": "job", "share": "share", "day": "weekday"},
    lines(
        (
            "{place} has [chosen] a new mayor, who takes office on {day}; {place~} votes next year.",
            "@!who, the [new] mayor of {place}@share, starts on {day}.",
        ),
        (
            "On {day} voters in {place} [went to the polls] to find a mayor, {count7} days after those in {place~}.",
            "@!who was [elected] mayor of {place} on {day}@share.",
        ),
        (
            "The race for mayor, postponed in {place~}, was [decided] in {place} on {day}.",
            "@!who [won] the race for mayor of {place} on {day}@share.",
        ),
        (
            "The counting of votes for a mayor of {place} [ended] on {day}.",
            "@!who will be mayor of {place}, the [count] showed on {day}@share.",
        ),
    ),
    {
        "who": described("The voters|The town|People", "<chose|wanted|preferred>"),
        "share": lines(
            ("The winner had {share} percent.", " with {share} percent"),
            (
                "A first projection gave the winner {share~} percent. / The [result] was {share}.",
                " with {share} percent of the [vote]",
            ),
            ("Polls had promised {share~} percent to the winner, who [got] {share}.", ", [winning] {share} percent"),
        ),
    },
    (
        "In {past7} it had been {person7} with {share7} percent.",
        "{count8} polling stations in {town8} ran out of paper.",
        "{person8}, who leads the council, is {count9}.",
        "The mayor has {small7} deputies, among them {person9}, {job9.an}.",
    ),
)

ROADWORKS = Event(
    "roadworks",
    {"place": "town", "street": "street", "weeks": "years", "reason": "wear", "day": "weekday"},
    lines(
        ("From {day} {street} will be [shut] to traffic.", "{street}@where [closes] to traffic on {day}@weeks@reason."),
        ("{street} [reopens] on {day}.", "{street}@where will be [open again] on {day}@weeks@reason."),
        (
            "From {day} drivers may use {street} in one direction [only].",
            "{street}@where becomes [one-way] from {day}@weeks@reason.",
        ),
        (
            "{street~} was to be dug up from {day}. / The town now [begins] with {street}.",
            "Works on {street}@where [start] on {day}@weeks@reason.",
        ),
    ),
    {
        "where": lines(
            ("The street is in {place}.", " in {place}"),
            ("{place~} has a street of the same name; this one is in {place}.", " in {place}"),
            ("We wrote that this was in {place~}. It is in {place}.", " in {place}"),
        ),
        "weeks": lines(
            ("The [work] takes {weeks} weeks.", ", with {weeks} weeks of [works]"),
            (
                "A plan for {weeks~} weeks was changed, and now there are {weeks} weeks of [work].",
                ", with {weeks} weeks of [work]",
            ),
            (
                "The firm offered to finish in {weeks~} weeks; the contract [says] {weeks}.",
                " under a [contract] for {weeks} weeks",
            ),
        ),
        "reason": lines(
            ("The damage goes back to {reason}.", " because of {reason}"),
            (
                "It was not {reason~} but {reason} that had [damaged] the surface.",
                "; {reason} had [harmed] the surface",
            ),
        ),
    },
    (
        "Buses go by way of {street7} until {weekday7}.",
        "{person7}, who has a bakery on {street8}, fears for {count7} jobs.",
        "In {past7} the same was done in {town7} in {small7} days.",
        "A firm from {town8} sends {count8} workers.",
    ),
)

STRIKE = Event(
    "strike",
    {"place": "town", "service": "service", "issue": "issue", "days": "small", "count": "hundreds", "day": "weekday"},
    lines(
        (
            "{service.bare} staff [walked out] on {day}.",
            "{service} workers@where [went on strike] on {day}@issue@size.",
        ),
        (
            "The strike of the {service} staff [ended] on {day}.",
            "{service} workers@where [returned] to work on {day}@issue@size.",
        ),
        (
            "{service.bare} staff had threatened to stop work on {day~}. They will now [strike] on {day}.",
            "{service} workers@where plan a [strike] for {day}@issue@size.",
        ),
        (
            "{service.bare} staff [called off] a strike that was set for {day}.",
            "{service} workers@where [cancelled] their {day} strike@issue@size.",
        ),
    ),
    {
        "where": lines(
            ("The dispute is in {place}.", " in {place}"),
            ("In {place~} work goes on; the dispute is in {place}.", " in {place}"),
            ("A wrong report named {place~}; the staff of {place} are [those] concerned.", " in [the town] of {place}"),
        ),
        "issue": lines(
            ("The quarrel is over {issue}.", " over {issue}"),
            ("The union settled on {issue~}. / What was [left] was {issue}.", ", the open [question] being {issue}"),
            ("Not {issue~} but {issue} had [angered] them.", ", [angry] over {issue}"),
        ),
        "size": lines(
            ("It [concerns] {count} people.", "; {count} are [concerned]"),
            (
                "The employer speaks of {count~} people, but the union [counts] {count}.",
                "; the union [counted] {count}",
            ),
        ),
    },
    (
        "{person7}, who speaks for the union, comes from {town7}.",
        "Last year {service7} staff stopped work for {small7} days over {issue7}.",
        "The employer offered {small8} percent on {weekday8}.",
        "{person8} had to walk {count7} minutes from {street8}.",
    ),
)

SCHOOL = Event(
    "school",
    {"place": "town", "street": "street", "count": "hundreds", "year": "past", "day": "weekday", "who": "person"},
    lines(
        (
            "The school on {street} will [shut] on {day}.",
            "The school on {street}@where is to [close] on {day}@pupils@head.",
        ),
        (
            "On {day} the school on {street} [opened].",
            "The new school on {street}@where [opened] on {day}@pupils@head.",
        ),
        (
            "The school on {street~} is saved. The one on {street} [is not], and {day} is its last day.",
            "{street} school@where [closes] on {day}@pupils@head.",
        ),
        (
            "The school on {street} was [renamed] on {day}.",
            "The school on {street}@where got a [new name] on {day}@pupils@head.",
        ),
    ),
    {
        "where": lines(
            ("It serves {place}.", " in {place}"),
            ("Children come from {place~} too, but it stands in {place}.", " in {place}"),
            ("An agency put it in {place~}. The right town is {place}.", " in {place}"),
        ),
        "pupils": lines(
            ("It has {count} [pupils].", ", with {count} [pupils]"),
            ("There were {count~} children once; [today] there are {count}.", ", [now] with {count} children"),
            ("It was built for {count~} children and [has] {count}.", ", [having] {count} children"),
        ),
        "head": lines(
            ("{who~} is leaving. / {who} [takes over] as head.", ", and {who} [becomes] head"),
            ("{who} has [led] it after {who~}.", " under its [head], {who}"),
            ("The head is {who}; {who~}, who wanted the post, [lost].", ", [headed] by {who}"),
        ),
    },
    (
        "{person7}, a parent of {small7}, collected {hundreds7} names.",
        "{town7} closed its school on {street7} in {past7}.",
        "The bus from {town8} takes {count7} minutes.",
        "{person8} taught there from {past8} until {weekday8}.",
    ),
)

BUDGET = Event(
    "budget",
    {"place": "town", "fee": "fee", "price": "count", "old": "count", "day": "weekday", "who": "person"},
    lines(
        (
            "{place} will [raise] its {fee} to {price} crowns, and not its {fee~} as planned.",
            "{place} will [increase] its {fee}@old to {price} crowns@day.",
        ),
        (
            "In {place} the {fee} will be [cut] to {price} crowns; {place~} keeps its own.",
            "{place} will [lower] its {fee}@old to {price} crowns@day.",
        ),
        (
            "{place} wanted {price~} crowns as its new {fee}. / The council [agreed] to {price}.",
            "{place} [set] its {fee}, changed@!old, at {price} crowns@day.",
        ),
    ),
    {
        "old": lines(
            ("It had [been] {old} crowns, and {old~} in {past7}.", " [from] {old}"),
            ("Until now people [paid] {old} crowns.", " [from] the present {old}"),
        ),
        "day": lines(
            ("The change holds from {day}.", " as of {day}"),
            ("It was to begin on {day~}. / The [start] is now {day}.", ", [starting] on {day}"),
            ("Treasurer {who} had said {day~}, but it [comes] on {day}.", ", [effective] on {day}"),
        ),
    },
    (
        "In {town7} the {fee7} is {count7} crowns.",
        "{person7} of {street7} called it {count8} crowns too much.",
        "The town owes {count9} million crowns to a bank in {town9}.",
        "There are {small7} groups on the council, led by {person8}.",
    ),
)

EVENTS = (COUNCIL, ELECTION, ROADWORKS, STRIKE, SCHOOL, BUDGET)
