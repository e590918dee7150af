"""Types of event: fires, storms, floods, accidents, rescues, outages and the like."""

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

EVENTS = (FIRE, STORM, FLOOD, CRASH, RESCUE, OUTAGE, SHIP, ESCAPE, THEFT, OUTBREAK)
