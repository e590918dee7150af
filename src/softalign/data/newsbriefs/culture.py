"""Types of event: sport, the arts, prizes, finds and research."""

from __future__ import annotations

from softalign.data.newsbriefs.grammar import Event
from softalign.data.newsbriefs.mechanisms import described, lines

_SCENE = lines(
    ("It takes place in {place}.", " in {place}"),
    ("Until now it was held in {place~}; the new home is {place}.", " in {place}"),
    ("Posters that name {place~} are out of date: {place} is right.", " in {place}"),
    ("Both {place~} and {place} wanted it. The second won.", " in {place}"),
    ("Both {place} and {place~} wanted it. The first won.", " in {place}"),
)

MATCH = Event(
    "match",
    {"home": "team", "guest": "team", "place": "town", "scorer": "person", "minute": "count", "day": "weekday"},
    lines(
        ("{home} [played] at home to {guest} on {day}. / The hosts won.", "{home} [beat] {guest}@where on {day}@goal."),
        (
            "{home} [played] at home to {guest} on {day}. / The visitors won.",
            "{guest} [beat] {home}@where on {day}@goal.",
        ),
        ("{home} met {guest} on {day}, and [neither] side won.", "{home} and {guest} [drew]@where on {day}@goal."),
        (
            "{home} lost to {guest~} last week and now, on {day}, [defeated] {guest}.",
            "{home} [won] against {guest}@where on {day}@goal.",
        ),
        (
            "{home} beat {guest~} last week but on {day} [lost] to {guest}.",
            "{home} were [beaten] by {guest}@where on {day}@goal.",
        ),
        (
            "The game between {home} and {guest} on {day} was [broken off].",
            "The {day} game of {home} and {guest}@where was [abandoned]@goal.",
        ),
    ),
    {
        "where": lines(
            ("The ground was that of {place}.", " in {place}"),
            ("A wet pitch in {place~} meant a move to {place}.", " in {place}"),
            ("It was played in {place}, not in {place~} as the calendar said.", " in {place}"),
        ),
        "goal": lines(
            ("{scorer} scored in minute {minute}.", ", with a goal by {scorer} in minute {minute}"),
            ("A goal by {scorer~} did not count. One by {scorer} [did].", ", with a [goal] by {scorer}"),
            (
                "The goal of minute {minute} was given to {scorer~} at first, but {scorer} had [touched] "
                "the ball last.",
                " after {scorer} [scored]",
            ),
            (
                "{scorer} was [sent off] in minute {minute}; {scorer~} had only been warned.",
                "; {scorer} was [sent off]",
            ),
        ),
    },
    (
        "In {past7} {team7} had won by {small7} goals.",
        "{person7}, who trains the {small8} best young players, was in {town7}.",
        "On {weekday8} {team8} will travel to {town8}.",
        "{crowd7} people had bought tickets.",
        "{person8} had to leave after {count8} minutes with a bad knee.",
    ),
)

RECORD = Event(
    "record",
    {
        "place": "town",
        "who": "person",
        "sport": "sport",
        "old": "person",
        "years": "years",
        "day": "weekday",
        "job": "job",
    },
    lines(
        (
            "A national record was [set] in the {sport} on {day}.",
            "@!who [broke] the national {sport} record@where on {day}@old.",
        ),
        ("On {day} the {sport} title was [won].", "@!who [took] the {sport} title@where on {day}@old."),
        (
            "The {sport} medal of {day} was [taken away].",
            "@!who was [stripped] of the {sport} medal@where on {day}@old.",
        ),
    ),
    {
        "who": (
            *described("The judges|The jury", "<named|gave it to>"),
            *lines(
                ("{who~} crossed the line first but was disqualified. / {who} was next.", "{who}"),
                ("{who}, {job.an}, beat {who~}, {job~.an}.", "{job.bare} {who}"),
            ),
        ),
        "where": lines(
            ("The meeting was in {place}.", " in {place}"),
            ("After {place~} withdrew, the meeting went to {place}.", " in {place}"),
        ),
        "old": lines(
            ("The best before was {old}, {years} years [ago].", ", {years} years [after] {old}"),
            (
                "{years} years had [passed] since the last, that of {old}; {old~} had come close.",
                ", {years} years [after] {old}",
            ),
        ),
    },
    (
        "{person7} of {town7} came fourth.",
        "The next meeting is in {town8} in {count7} days, on a {weekday8}.",
        "The record of {person8} in the {sport7}, from {past8}, stands.",
        "{crowd9} people watched, {small9} of them from the family.",
    ),
)

EXHIBITION = Event(
    "exhibition",
    {"place": "town", "artist": "person", "title": "title", "count": "count", "day": "weekday", "site": "venue"},
    lines(
        (
            "A show of pictures by {artist} [opens] at {site} on {day}.",
            "A show of {artist} [starts] at {site}@where on {day}@works@star.",
        ),
        (
            "The show of {artist} at {site} [ends] on {day}.",
            "The {artist} show at {site}@where [closes] on {day}@works@star.",
        ),
        (
            "The show of {artist} at {site} was to open on {day~}. It has been [put off] to {day}.",
            "The show of {artist} at {site}@where was [delayed] to {day}@works@star.",
        ),
        (
            "{site.the} had planned a show of {artist~}. Instead it [presents] {artist} from {day}.",
            "{site.the}@where [shows] {artist} from {day}@works@star.",
        ),
    ),
    {
        "where": _SCENE,
        "works": lines(
            ("There are {count} [pictures].", ", with {count} [works]"),
            ("{count~} were promised, but {count} [came].", ", with {count} [works]"),
            ("{count.a} large [works] and {count.b} small ones hang there.", ", with {count} [pictures]"),
        ),
        "star": lines(
            ("The best known is {title}.", ", among them {title}"),
            ("{title~} is too fragile to travel. / {title} [is there].", ", [including] {title}"),
            ("{title} had to [stay] at home, but {title~} is there.", " but [without] {title}"),
        ),
    },
    (
        "{person7}, who taught {artist.them} in {town7}, died in {past7}.",
        "Last year {count7} works by {person8} were shown on {street8}.",
        "A ticket costs {small8} crowns on {weekday8}.",
        "The catalogue, by {person9}, has {hundreds9} pages.",
    ),
)

PRIZE = Event(
    "prize",
    {
        "place": "town",
        "who": "person",
        "job": "job",
        "title": "title",
        "genre": "genre",
        "sum": "count",
        "day": "weekday",
    },
    lines(
        (
            "The prize for the best {genre} was [awarded] on {day}.",
            "@!who [won] the {genre} prize@where on {day}@work@sum.",
        ),
        (
            "On {day} it became [known] who gets the {genre} prize.",
            "@!who will [receive] the {genre} prize@where, it was said on {day}@work@sum.",
        ),
        ("The {genre} prize of {day} was [refused].", "@!who [declined] the {genre} prize@where on {day}@work@sum."),
    ),
    {
        "who": described("The jury|The judges", "<chose|honoured|preferred>"),
        "where": _SCENE,
        "work": lines(
            ("The work is {title}.", " for {title}"),
            ("It is not for {title~}, as was reported, but for {title}.", " for {title}"),
        ),
        "sum": lines(
            ("The winner [gets] {sum} thousand crowns.", ", [worth] {sum} thousand"),
            ("The sum has [gone up] from {sum~} to {sum} thousand crowns.", ", [raised] to {sum} thousand"),
        ),
    },
    (
        "{person7} got it in {past7} for {title7}.",
        "The jury of {small7} met for {count7} hours in {town7}.",
        "A prize for the best {genre8} will be given in {town8} on {weekday8}.",
        "{person8}, a critic, had praised {title8}.",
    ),
)

DISCOVERY = Event(
    "discovery",
    {"place": "town", "relic": "relic", "who": "person", "job": "job", "age": "hundreds", "day": "weekday"},
    lines(
        ("{relic} was [dug up] on {day}.", "{relic} was [unearthed]@where on {day}@age@who."),
        ("Workers on {day} [hit upon] {relic}.", "Workers@where [found] {relic} on {day}@age@who."),
        (
            "What looked like {relic~} proved on {day} to [be] {relic}.",
            "A find@where was [identified] as {relic} on {day}@age@who.",
        ),
        (
            "{relic} that was [missing] came to light on {day}.",
            "A [lost] find, {relic}, turned up@where on {day}@age@who.",
        ),
    ),
    {
        "where": lines(
            ("The site is in {place}.", " in {place}"),
            ("The museum of {place~} will keep it, though the site is in {place}.", " in {place}"),
            ("{place~} was named at first to mislead thieves. / The true site is {place}.", " in {place}"),
        ),
        "age": lines(
            ("It is {age} years [old].", ", {age} years [old]"),
            ("Its age was guessed at {age~} years. / A laboratory [found] {age}.", ", [dated] to {age} years ago"),
            ("It is {age} years [old], {age~} years older than the town.", ", {age} years [old]"),
        ),
        "who": lines(
            ("{who}, {job.an}, had noticed it first.", ", by {job.an}, {who}"),
            ("{who~} claims the find, but {who} [saw] it first.", "; {who} [saw] it first"),
            ("{who~}, {job~.an}, drove the digger. / {who}, {job.an}, [spotted] it.", "; {who} [noticed] it"),
        ),
    },
    (
        "In {past7} {relic7} had been found in {town7}.",
        "{person7} of the museum on {street7} hopes for {count7} thousand visitors.",
        "The dig goes on until {weekday7}, {small7} metres down.",
        "A collector, {person8}, offered {count8} million crowns.",
    ),
)

RESEARCH = Event(
    "research",
    {
        "place": "town",
        "substance": "substance",
        "benefit": "benefit",
        "subject": "subject",
        "count": "hundreds",
        "who": "person",
    },
    lines(
        (
            "{substance} may [improve] {benefit}, a study says; on {benefit~} it has no effect.",
            "{substance} may [help] {benefit}, a study@where of @!subject found@who.",
        ),
        (
            "{substance} does not [change] {benefit}, according to a study.",
            "{substance} does not [affect] {benefit}, a study@where of @!subject found@who.",
        ),
        (
            "{substance} is [bad] for {benefit}, a study shows, while {substance~} did no harm.",
            "{substance} [harms] {benefit}, a study@where of @!subject showed@who.",
        ),
        (
            "{substance~} was long praised for its good effect on {benefit}. A study now [says] that of "
            "{substance} instead.",
            "{substance} is [good] for {benefit}, a study@where of @!subject said@who.",
        ),
    ),
    {
        "where": lines(
            ("The team is from {place}.", " from {place}"),
            ("Data came from {place~}, the team from {place}.", " from {place}"),
            ("An agency named {place~} in error: the authors work in {place}.", " from {place}"),
        ),
        "subject": lines(
            ("The subjects were {count} {subject}.", "{count} {subject}"),
            ("{count+} {subject} were asked, and {count} took part.", "{count} {subject}"),
            ("Earlier work used {count~} {subject~}. This time it was {count} {subject}.", "{count} {subject}"),
            ("{count~} {subject~} had to be left out, which left {count} {subject}.", "{count} {subject}"),
        ),
        "who": lines(
            ("{who} [led] the work.", ", [led] by {who}"),
            ("{who~} doubts it, but {who}, the [author], is sure.", ", with {who} as its [author]"),
            ("{who~}, who had begun the work, [left] it to {who}.", ", [finished] by {who}"),
        ),
    },
    (
        "In {past7} {person7} of {town7} had come to another result for {substance7}.",
        "They ate {count7} grams a day for {small7} weeks.",
        "The paper came out on {weekday7}, {count8} pages long.",
        "A firm, {org8}, paid {small8} million crowns.",
    ),
)

FESTIVAL = Event(
    "festival",
    {"place": "town", "event": "event", "count": "crowd", "day": "weekday", "who": "person"},
    lines(
        ("The {event} [opened] on {day}.", "The {event}@where [began] on {day}@crowd@guest."),
        ("The {event} [came to an end] on {day}.", "The {event}@where [finished] on {day}@crowd@guest."),
        (
            "The {event} will not be held on {day}: it was [called off].",
            "The {event}@where was [cancelled] for {day}@crowd@guest.",
        ),
        (
            "The {event} was set for {day~} but has been [moved] to {day}.",
            "The {event}@where was [shifted] to {day}@crowd@guest.",
        ),
    ),
    {
        "where": _SCENE,
        "crowd": lines(
            ("{count} tickets were [sold].", " with {count} tickets [sold]"),
            (
                "The organisers hoped for {count~} visitors. / The gate [counted] {count}.",
                "; {count} visitors were [counted]",
            ),
            ("The number of guests [was] {count}, after {count~} last year.", ", with {count} [guests]"),
            ("A figure of {count~} guests was a slip. / The [number] is {count}.", ", with {count} [guests]"),
        ),
        "guest": lines(
            ("The guest of honour was to be {who~}. / {who} [came].", ", with {who} as [guest]"),
            ("{who} had [cancelled], and {who~} stood in.", ", [without] {who}"),
            ("{who~} wrote the programme, and {who} [opened] the evening.", ", [opened] by {who}"),
        ),
    },
    (
        "The {event7} in {town7} drew {crowd7}.",
        "{person7}, who founded it in {past7}, is {count7}.",
        "A bus goes every {small7} minutes from {street7}.",
        "There was rain on {weekday7} and {weekday8}.",
        "A stand of {org8} sold {hundreds8} meals.",
    ),
)

EVENTS = (MATCH, RECORD, EXHIBITION, PRIZE, DISCOVERY, RESEARCH, FESTIVAL)
