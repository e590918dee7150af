"""Types of event: takeovers, recalls, plants, jobs, results and new heads."""

from __future__ import annotations

from softalign.data.newsbriefs.grammar import Event
from softalign.data.newsbriefs.mechanisms import described, lines, total

_PLANT = lines(
    ("The works are in {place}.", " in {place}"),
    ("The company also has works in {place~}, but this is about those in {place}.", " in {place}"),
    ("A newspaper wrongly named {place~}. / The [works] in question are in {place}.", " at its [works] in {place}"),
    ("{place~} may feel safe for now; {place} is where it happens.", " at {place}"),
)

TAKEOVER = Event(
    "takeover",
    {"buyer": "org", "target": "org", "price": "count", "jobs": "hundreds", "day": "weekday", "place": "town"},
    lines(
        (
            "{buyer~} and {buyer} had both made offers for {target}. / On {day} the owners [sold] to the "
            "second bidder.",
            "{buyer} [bought] {target}@where on {day}@price@jobs.",
        ),
        (
            "{buyer} and {buyer~} had both made offers for {target}. / On {day} the owners [sold] to the first bidder.",
            "{buyer} [took over] {target}@where on {day}@price@jobs.",
        ),
        (
            "{buyer} and {target} will [become one], they said on {day}.",
            "{buyer} and {target}@where will [merge], they said on {day}@price@jobs.",
        ),
        (
            "{target} was to go to {buyer~}. That failed, and on {day} it [went] to {buyer}.",
            "{buyer} [got] {target}@where on {day}@price@jobs.",
        ),
        (
            "{buyer} [dropped] its bid for {target} on {day}.",
            "{buyer} [gave up] its bid for {target}@where on {day}@price@jobs.",
        ),
    ),
    {
        "where": lines(
            ("{target} has its seat in {place}.", " of {place}"),
            ("{target} is not from {place~}, where the buyer is, but from {place}.", " of {place}"),
        ),
        "price": lines(
            ("The price was [put] at {price} million crowns.", ", [priced] at {price} million"),
            (
                "An offer of {price~} million crowns was refused; the next was {price} million.",
                " for {price} million crowns",
            ),
            (
                "Papers had guessed {price~} million crowns. / A filing [shows] {price} million.",
                "; filings [say] {price} million",
            ),
        ),
        "jobs": lines(
            ("{jobs} people [work] there.", ", with {jobs} [jobs]"),
            ("The number of workers [is] {jobs} and was {jobs~} in {past7}.", "; {jobs} [work] there"),
        ),
    },
    (
        "A third firm, {org7}, had spent {count7} million crowns on a rival in {town7}.",
        "{person7}, who founded the business in {past8}, keeps {small7} percent.",
        "Shares in {org8} rose by {small8} percent on {weekday8}.",
        "{person8} of a bank in {town8} advised the owners.",
    ),
)

RECALL = Event(
    "recall",
    {
        "firm": "org",
        "product": "product",
        "defect": "defect",
        "count": "crowd",
        "place": "town",
        "day": "weekday",
        "hurt": "small",
    },
    lines(
        (
            "{firm} [called back] {product} on {day}; its {product~} are safe.",
            "{firm} on {day} [recalled] {product}@count@defect@where.",
        ),
        (
            "On {day} {firm} took {product~} off sale, then said that it had [meant] {product}.",
            "{firm} on {day} [withdrew] {product}@count@defect@where.",
        ),
        (
            "Buyers of {product} from {firm} should [bring them back], it said on {day}.",
            "{firm} on {day} asked for {product} to be [returned]@count@defect@where.",
        ),
        (
            "A rival, {firm~}, was suspected. But on {day} it was {firm} that [pulled] {product} from the shops.",
            "{firm} on {day} [removed] {product} from sale@count@defect@where.",
        ),
    ),
    {
        "count": lines(
            ("{count} of them were [sold].", ", of which {count} were [sold]"),
            (
                "The company first spoke of {count~} pieces. It has now [named] a figure of {count}.",
                ", {count} in [number]",
            ),
            ("Of {count+} that were made, {count} are [affected].", ", {count} of them [faulty]"),
        ),
        "defect": lines(
            ("The trouble is {defect}.", " because of {defect}"),
            ("Customers had complained of {defect~}, but the fault was {defect}.", " owing to {defect}"),
            ("Tests [found] {defect}. They did not find {defect~}.", " after tests [showed] {defect}"),
        ),
        "where": lines(
            ("All came from a plant in {place}.", ", made in {place}"),
            ("The plant in {place~} is cleared; that in {place} is not.", ", made in {place}"),
        ),
    },
    (
        "Last year {org7} had trouble with {product7} that had {defect7}.",
        "{person7} of {town7} had been hurt on {weekday7}.",
        "A shop on {street7} gives back {count7} crowns a piece.",
        "The firm, which {person8} leads, has {hundreds8} workers.",
        "Its shares lost {small8} percent.",
    ),
)

LAYOFFS = Event(
    "layoffs",
    {"firm": "org", "count": "count", "place": "town", "day": "weekday", "product": "product"},
    lines(
        ("{firm} will [cut] jobs, it said on {day}.", "{firm} is to [shed] @!count@where, it said on {day}@why."),
        ("On {day} {firm} [hired].", "{firm} [took on] workers for @!count@where on {day}@why."),
        (
            "Jobs at {firm} are [safe], it was agreed on {day}.",
            "{firm} will [keep] @!count@where, it was agreed on {day}@why.",
        ),
        (
            "{firm~} keeps its people. {firm} does not and [gave notice] on {day}.",
            "{firm} [cancelled] @!count@where on {day}@why.",
        ),
    ),
    {
        "count": total("jobs", "{count} jobs"),
        "where": _PLANT,
        "why": lines(
            ("Fewer people [buy] its {product}.", " as [sales] of {product} fell"),
            (
                "Orders for {product~} are down, but those for {product} have [grown].",
                " as [demand] for {product} rose",
            ),
            ("It [gives up] {product} but not {product~}.", " as it [stops] making {product}"),
        ),
    },
    (
        "A year ago {org7} in {town7} let {count7} people go.",
        "{person7}, who has been there for {count8} years, was in tears.",
        "{person8}, who owns {small7} percent, was away until {weekday8}.",
        "The union asks for {small8} months of pay.",
    ),
)

FACTORY = Event(
    "factory",
    {"firm": "org", "place": "town", "product": "product", "jobs": "hundreds", "day": "weekday", "price": "count"},
    lines(
        (
            "{firm} will [build] a plant in {place}; {place~} had hoped in vain.",
            "{firm} is to [construct] a factory in {place}@what@jobs@price.",
        ),
        (
            "{firm} had a choice of {place~} and {place} for its plant. It [took] the second.",
            "{firm} [chose] {place} for its factory@what@jobs@price.",
        ),
        (
            "{firm} had a choice of {place} and {place~} for its plant. It [took] the first.",
            "{firm} [picked] {place} for its factory@what@jobs@price.",
        ),
        (
            "{firm} [shuts] its plant in {place} and keeps that in {place~}.",
            "{firm} is to [close] its factory in {place}@what@jobs@price.",
        ),
        (
            "{firm} [moves] its plant from {place~} to {place}.",
            "{firm} will [relocate] its factory to {place}@what@jobs@price.",
        ),
    ),
    {
        "what": lines(
            ("{product} are made there.", " for {product}"),
            ("It was {product~} for a long time; [now] it is {product}.", ", which [now] makes {product}"),
            ("The plant makes no {product~}, as we wrote, but {product}.", " for {product}"),
        ),
        "jobs": lines(
            ("It will [affect] {jobs} workers.", ", [affecting] {jobs} workers"),
            ("The union feared for {jobs~} jobs. / The firm [says] {jobs}.", "; it [concerns] {jobs} jobs"),
        ),
        "price": lines(
            ("The [cost] is {price} million crowns.", ", [costing] {price} million"),
            (
                "It [costs] {price} million crowns, after {price~} million in the first plan.",
                ", at a [cost] of {price} million",
            ),
            (
                "The state pays {price~} million crowns, the [company] the rest, {price} million.",
                ", with {price} million from the [firm]",
            ),
        ),
    },
    (
        "{org7} had left {town7} for {town8} in {past7}.",
        "The mayor, {person7}, had heard of it on {weekday7}.",
        "The land on {street7} belongs to {person8}, {job8.an}.",
        "It is {count7} kilometres to the sea and {small7} to the railway.",
    ),
)

RESULTS = Event(
    "results",
    {"firm": "org", "profit": "count", "product": "product", "place": "town", "day": "weekday", "who": "person"},
    lines(
        (
            "{firm} [made] {profit} million crowns last year, {profit~} million less than in the best year.",
            "{firm} [earned] {profit} million crowns last year@why@boss.",
        ),
        (
            "Analysts expected {profit~} million crowns from {firm}. / The [profit] was {profit} million.",
            "{firm} reported a [profit] of {profit} million crowns@why@boss.",
        ),
        (
            "{firm~} lost {profit~} million crowns last year and {firm} [lost] {profit} million.",
            "{firm} had a [loss] of {profit} million crowns@why@boss.",
        ),
        (
            "{firm} owes the banks {profit} million crowns and is [insolvent].",
            "{firm}, with debts of {profit} million crowns, is [bankrupt]@why@boss.",
        ),
    ),
    {
        "why": lines(
            ("Most of its [trade] is in {product}.", " from its [trade] in {product}"),
            (
                "The branch for {product~} did as before; the [difference] was {product}.",
                ", the [change] being in {product}",
            ),
            ("It had given up {product~} to [sell] {product}.", " after it began to [sell] {product}"),
        ),
        "boss": lines(
            ("The head of the firm, {who}, will [go] on {day}.", "; its head, {who}, [leaves] on {day}"),
            ("{who~} was asked to go. / {who} [succeeds] {who~.them} on {day}.", "; {who} [takes over] on {day}"),
            ("{who}, who runs it, [stays], though {who~} had hoped for the post.", "; its head, {who}, [remains]"),
        ),
    },
    (
        "{org7} of {town7} will report on {weekday7}.",
        "It was founded in {town8} in {past8} by {person8}.",
        "There are {small7} shops, one of them on {street7}.",
        "In {past9} it had {hundreds7} people.",
    ),
)

APPOINTMENT = Event(
    "appointment",
    {"place": "town", "who": "person", "job": "job", "site": "building", "day": "weekday", "years": "years"},
    lines(
        (
            "{site.the} [gets] a new head, who starts on {day}.",
            "@!who will [run] {site}@where from {day}@before.",
        ),
        ("On {day} {site} [got] a new head.", "@!who was [named] head of {site}@where on {day}@before."),
        (
            "The search for a head of {site} [ended] on {day}.",
            "@!who was [picked] to lead {site}@where on {day}@before.",
        ),
    ),
    {
        "who": described("The board|The committee|The owners", "<took|picked|settled on>"),
        "where": lines(
            ("It is the one in {place}.", " in {place}"),
            ("It should not be confused with that of {place~}; it is in {place}.", " in {place}"),
        ),
        "before": lines(
            ("The post had been [empty] for {years} years.", " after {years} [vacant] years"),
            (
                "{person7} had [held] the post for {years} years, and {person8} for {years~} before that.",
                ", following a [holder] of {years} years",
            ),
        ),
    },
    (
        "The salary is {count7} thousand crowns.",
        "{person9}, a member from {town9}, voted against on {weekday9}.",
        "It has {count8} employees and was founded in {past8}.",
    ),
)

EVENTS = (TAKEOVER, RECALL, LAYOFFS, FACTORY, RESULTS, APPOINTMENT)
