"""Types of event: thefts, trials and protests."""

from __future__ import annotations

from softalign.data.newsbriefs.grammar import Event
from softalign.data.newsbriefs.mechanisms import casualties, debated, lines, located

THEFT = Event(
    "theft",
    {"place": "town", "title": "title", "price": "count", "artist": "person", "day": "weekday", "site": "venue"},
    lines(
        (
            "The painting {title} was [stolen] from {site} on {day}.",
            "{title}, a painting, was [taken] from {site}@where on {day}@price@end.",
        ),
        (
            "Thieves [broke into] {site} on {day} and left with the picture {title}.",
            "{day} thieves [stole] the picture {title} from {site}@where@price@end.",
        ),
        (
            "On {day} staff at {site} [noticed] an empty frame; the thieves had passed by {title7} and taken {title}.",
            "{title} was [found missing] from {site}@where on {day}@price@end.",
        ),
    ),
    {
        "where": located("the theft"),
        "price": lines(
            ("It is [worth] {price} million crowns.", ", [worth] {price} million"),
            (
                "A dealer put its value at {price~} million crowns. / The [insurers] say {price} million.",
                ", [insured] for {price} million",
            ),
            (
                "It was bought for {price~} million crowns and is now [valued] at {price} million.",
                ", now [worth] {price} million",
            ),
        ),
        "end": lines(
            ("Nobody has been [arrested].", "; no [arrests] were made"),
            ("Police [hold] {artist}; {artist~} was let go.", "; {artist} was [arrested]"),
            ("Police first held {artist~}. They now have {artist} in [custody].", "; {artist} is in [custody]"),
        ),
    },
    (
        "The painter, {person7}, died in {town7} in {past7}.",
        "Another picture, {title8}, hangs in {town8}.",
        "A guard, {person8}, had heard nothing on {weekday8}.",
        "The alarm had been off for {small8} hours.",
        "In {past9} {small9} drawings had gone from a house on {street9}.",
    ),
)

TRIAL = Event(
    "trial",
    {"place": "town", "who": "person", "crime": "crime", "years": "years", "job": "job", "day": "weekday"},
    lines(
        (
            "{who}, {job.an}, was [found guilty] of {crime} on {day}; {who~}, also charged, went free.",
            "{who} was [convicted] of {crime}@where on {day}@years.",
        ),
        (
            "{who~}, {job~.an}, and {who}, {job.an}, were both charged with {crime}. / On {day} the judge "
            "[convicted] the {job} only.",
            "A court@where [convicted] {who} of {crime} on {day}@years.",
        ),
        (
            "{who}, {job.an}, and {who~}, {job~.an}, were both charged with {crime}. / On {day} the "
            "{job~} was cleared and the {job} "
            "was [not].",
            "{who} was [guilty] of {crime}, a court@where said on {day}@years.",
        ),
        (
            "{who} had [denied] {crime~} and {crime}. / On {day} the jury believed {who.them} on the "
            "first charge alone.",
            "A jury@where [rejected] the denial of {crime} by {who} on {day}@years.",
        ),
    ),
    {
        "where": lines(
            ("The court sits in {place}.", " in {place}"),
            ("The case had been moved from {place~} to {place}.", " in {place}"),
            ("It was tried in {place}, though the deed was done in {place~}.", " in {place}"),
        ),
        "years": lines(
            (
                "The prosecutor had asked for {years~} years. / The [sentence] is {years}.",
                ", with a [sentence] of {years} years",
            ),
            ("The [term] is {years} years in prison.", " and [jailed] for {years} years"),
            (
                "The defence wanted {years~} years, the prosecutor {years~2}; {years} were [given].",
                "; the [term] is {years} years",
            ),
        ),
    },
    (
        "{person7}, a witness from {town7}, spoke for {small7} hours.",
        "The judge, {person8}, had sent {job8.an} to prison for {crime8} in {past8}.",
        "The trial began in {count7} hours of rain, on a {weekday7}.",
        "The court heard {count8} witnesses, among them {job9.an} from {town9}.",
    ),
)

PROTEST = Event(
    "protest",
    {"place": "town", "plan": "project", "count": "count", "street": "street", "day": "weekday"},
    lines(
        (
            "People [marched] against {plan} on {day}.",
            "A [march] against {plan} was held@where on {day}@arrests@street.",
        ),
        (
            "People [blocked] traffic on {day} because they want {plan}.",
            "Supporters of {plan} [stopped] traffic@where on {day}@arrests@street.",
        ),
        (
            "On {day} a crowd [called] for {plan} instead of {plan~}.",
            "A crowd@where [demanded] {plan} on {day}@arrests@street.",
        ),
    ),
    {
        "where": debated(),
        "arrests": casualties("people", "arrested", "held"),
        "street": lines(
            ("They met on {street~} and were [stopped] on {street}.", ", [ending] on {street}"),
            ("The whole of it took place on {street}.", " on {street}"),
        ),
    },
    (
        "Last month {hundreds7} had come together in {town7}.",
        "{person7}, {job7.an}, held a speech of {small7} minutes.",
        "The mayor, {person8}, was in {town8} until {weekday8}.",
        "Shops on {street7} stayed shut.",
    ),
)

EVENTS = (THEFT, TRIAL, PROTEST)
