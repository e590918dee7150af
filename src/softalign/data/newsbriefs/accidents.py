"""Types of event: fires, crashes, rescues, outages and ships in trouble."""

from __future__ import annotations

from softalign.data.newsbriefs.grammar import Event
from softalign.data.newsbriefs.mechanisms import casualties, lines, located

FIRE = Event(
    "fire",
    {"place": "town", "site": "building", "count": "count", "cause": "cause", "day": "weekday"},
    lines(
        (
            "A <fire|blaze> broke out at {site} on {day} and [gutted] it.",
            "A fire on {day} [destroyed] {site}@where@toll@cause.",
        ),
        (
            "Flames [tore through] {site} on {day} before <crews|firefighters> could stop them.",
            "Flames [swept through] {site}@where on {day}@toll@cause.",
        ),
        (
            "{site.the} was badly [damaged] when it caught fire on {day}.",
            "Serious fire [damage] was done to {site}@where on {day}@toll@cause.",
        ),
        (
            "A <fire|blaze> at {site} on {day} was [put out] within <an hour|minutes|the hour>.",
            "Firefighters quickly [extinguished] a fire at {site}@where on {day}@toll@cause.",
        ),
    ),
    {
        "where": located("the fire"),
        "toll": casualties("people", "hurt"),
        "cause": lines(
            ("<Investigators|Experts> found that {cause} had [started] it.", "; {cause} [started] it"),
            (
                "<Police|Neighbours> first suspected {cause~}. / The fire service now says that {cause} "
                "[was to blame].",
                "; {cause} [was blamed]",
            ),
            ("It was {cause} that [set off] the fire, not {cause~} as people had thought.", "; {cause} [caused] it"),
        ),
    },
    (
        "A similar fire in {town7} in {past7} had hurt {count~7} people.",
        "{person7}, who lives opposite, saw smoke at about {small7} in the morning.",
        "The fire brigade of {town8} sent {small8} engines and {count~8} men and women.",
        "The owner had meant to sell to a buyer from {town9} after {weekday9}.",
        "Rebuilding may take {count~9} months, according to {person9}.",
    ),
)

CRASH = Event(
    "crash",
    {"place": "town", "count": "count", "street": "street", "day": "weekday", "cause": "fault"},
    lines(
        (
            "A lorry and a coach [collided] on {street} on {day}.",
            "A lorry and a coach [crashed] on {street}@where on {day}@toll@cause.",
        ),
        (
            "A coach [left] the road on {day} and <hit|struck> a wall on {street}.",
            "A coach [ran off] {street}@where on {day}@toll@cause.",
        ),
        (
            "A train [came off] the rails at the {street} crossing on {day}.",
            "A train [derailed] at {street}@where on {day}@toll@cause.",
        ),
        (
            "A tram [ran into] the back of another at {street} on {day}.",
            "Trams [collided] at {street}@where on {day}@toll@cause.",
        ),
    ),
    {
        "where": located("the accident"),
        "toll": casualties("passengers", "hurt"),
        "cause": lines(
            ("{cause} was [at fault], a <first|preliminary> report says.", "; {cause} [was blamed]"),
            (
                "It was thought that {cause~} had led to it. / Engineers [found] {cause}.",
                "; engineers [discovered] {cause}",
            ),
            ("The inspectors ruled out {cause~} and [named] {cause}.", "; inspectors [blamed] {cause}"),
        ),
    },
    (
        "The driver, {person7} from {town7}, had been at work for {small7} hours.",
        "{street7} was used as a way round until {weekday7}.",
        "A helicopter came from {town8}, {count~8} kilometres away.",
        "There had been {count~7} accidents at the same place since {past7}.",
        "{person8}, aged {count~9}, walked home to {street9} unhurt.",
    ),
)

RESCUE = Event(
    "rescue",
    {"place": "town", "count": "count", "group": "group", "refuge": "refuge", "day": "weekday", "hours": "years"},
    lines(
        (
            "Rescuers [brought] {count} {group} to safety from {refuge} on {day}.",
            "Rescuers [saved] {count} {group} from {refuge}@where on {day}@hours@who.",
        ),
        (
            "A helicopter [lifted] {count} {group} from {refuge} on {day}.",
            "{count} {group} were [flown] from {refuge}@where on {day}@hours@who.",
        ),
        (
            "{count+} {group} were reported trapped in {refuge}. In fact there were {count}, and on {day} "
            "all got [out].",
            "All {count} {group} trapped in {refuge}@where were [freed] on {day}@hours@who.",
        ),
        (
            "{count.a} {group} were pulled from {refuge} on {day} in the morning. The other {count.b} "
            "[followed] at noon.",
            "{count} {group} were [pulled] from {refuge}@where on {day}@hours@who.",
        ),
    ),
    {
        "where": located("the rescue"),
        "hours": lines(
            ("They had [waited] for {hours} hours.", " after a [wait] of {hours} hours"),
            ("It was not {hours~} hours, as first reported, but {hours} until help came.", " after {hours} hours"),
            ("The search [lasted] {hours} hours, {hours~} of them in the dark.", " after a [search] of {hours} hours"),
        ),
        "who": lines(
            ("A search [dog] from {town7} found the way to them.", ", thanks to a [dog]"),
            ("A call from a mobile [phone] led to the place.", ", thanks to a [phone] call"),
        ),
    },
    (
        "Last week {count~7} {group~7} had been saved from {refuge~7} near {town7}.",
        "{person7}, who led the team from {town8}, praised the {small7} volunteers.",
        "One of them, {person8}, had turned {count~8} the day before.",
        "The guide, {person9}, had left for {town9} on {weekday9}.",
    ),
)

OUTAGE = Event(
    "outage",
    {"place": "town", "count": "hundreds", "cause": "fault", "hours": "small", "day": "weekday"},
    lines(
        ("The lights [went out] in {count} homes on {day}.", "{count} homes@where [lost] power on {day}@cause@hours."),
        (
            "On {day} {count} households found their taps [dry].",
            "{count} households@where had [no water] on {day}@cause@hours.",
        ),
        (
            "{count} customers were [cut off] from the telephone network on {day}.",
            "Telephones [failed] for {count} customers@where on {day}@cause@hours.",
        ),
        (
            "On {day} the heating [broke down] in {count} flats.",
            "{count} flats@where [went cold] on {day}@cause@hours.",
        ),
    ),
    {
        "where": located("the fault"),
        "hours": lines(
            ("It [took] {hours} hours to repair.", "; repairs [took] {hours} hours"),
            ("The company had promised help in {hours~} hours. It [needed] {hours}.", "; repairs [took] {hours} hours"),
            ("Everything worked again {hours} hours [later].", "; all was well {hours} hours [later]"),
        ),
        "cause": lines(
            ("Technicians traced the trouble to {cause}.", " because of {cause}"),
            ("A hacker was suspected first, then {cause~}. / What they found was {cause}.", " owing to {cause}"),
            ("It was [due to] {cause}, said {person8} of the utility.", " [due to] {cause}"),
        ),
    },
    (
        "{town7}, with {hundreds7} homes, was not affected.",
        "{person7} of {street7} lit {count~7} candles.",
        "The clinic in {town8} ran on its own supply until {weekday8}.",
        "In {past7} a failure lasted {small7} days.",
    ),
)

SHIP = Event(
    "ship",
    {"place": "town", "ship": "ship", "craft": "craft", "count": "count", "cause": "fault", "day": "weekday"},
    lines(
        (
            "The {craft} {ship} [ran onto] rocks on {day}.",
            "The {craft} {ship} [ran aground]@where on {day}@crew@cause.",
        ),
        (
            "On {day} the {craft} {ship} lost her engines and [drifted] ashore.",
            "The {craft} {ship} [was stranded]@where on {day}@crew@cause.",
        ),
        ("The {craft} {ship} [struck] a pier on {day}.", "The {craft} {ship} [hit] a pier@where on {day}@crew@cause."),
        ("The {ship}, {craft.an}, [went down] on {day}.", "The {craft} {ship} [sank]@where on {day}@crew@cause."),
    ),
    {
        "where": lines(
            ("It happened [off] {place}.", " [off] {place}"),
            ("The ship was thought to be off {place~}. / Her last signal [came from] {place}.", " [near] {place}"),
            ("She had left {place~} and was bound for {town7}; [off] {place} it happened.", " [off] {place}"),
        ),
        "crew": lines(
            ("{count} people were [taken off].", "; {count} people were [rescued]"),
            (
                "{count~} people were said to be aboard. / The list showed {count}, all [safe].",
                "; all {count} aboard were [safe]",
            ),
            ("{count.a} sailors and {count.b} passengers were [saved].", "; {count} people were [saved]"),
        ),
        "cause": lines(
            ("The coastguard [blames] {cause}.", " and {cause} was [blamed]"),
            ("It was not {cause~} but {cause} that was [the cause].", ", [because of] {cause}"),
        ),
    },
    (
        "The {craft~7} {ship7} took part in the search.",
        "Her captain, {person7}, has sailed for {count~7} years.",
        "She was built in {town8} in {past8}.",
        "{small8} tonnes of oil were pumped off by a crew from {town9}.",
    ),
)

EVENTS = (FIRE, CRASH, RESCUE, OUTAGE, SHIP)
