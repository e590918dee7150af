"""The open-class words of `newsbriefs`: names, places, organisations, things and numbers, and how they are drawn.

Names are put together from parts, so that there are thousands of them and a test report holds combinations that
training never showed. Within a list the words follow a flattened form of Zipf's law: p ∝ 1 / (rank + 10) ** 0.8.
A value is a string, except a number, which stays an `int` until it is written as digits or as words.
"""

# ruff: noqa: SIM905 - a list of words reads better as words

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import accumulate, product

Value = str | int

WOMEN = tuple(
    """Anna Clara Dora Edith Fiona Greta Hanna Ines Judith Karin Laura Maria Nadia Olga Paula Rosa Sara Tanja Ulla
    Vera Wanda Yara Zoe Alice Beate Carla Diana Elena Frida Gina Hilda Irene Jana Katja Lena Marta Nora Oona
    Petra Renate Silvia Thea Ursula Viola Wilma Agnes Bianca Celia Delia Emma Flora Gloria Heidi Iris Joana Kira
    Lydia Mona Nelly Ottilie Pia Ruth Stella Tilda Una Verena Adele Birgit Cora Doris Elsa Fatima Gudrun Helen
    Ida Jutta Kerstin Leila Magda Nina Olivia Priya Ramona Selma Tamara Valeria Amira Bettina Chiara Daria
    Esther Frieda Hedwig Ilse Jasmin Linda Mira Noemi Rania Sonja Theresa Aisha Brenda Cecile Dilara""".split()
)
MEN = tuple(
    """Adam Bruno Carl David Erik Felix Georg Henry Ivan Jakob Konrad Leo Martin Niels Oskar Paul Robert Simon Tom
    Viktor Walter Yusuf Anton Boris Cyril Daniel Emil Frank Gerald Hugo Igor Jonas Kurt Lukas Mario Norman Otto
    Peter Ralf Stefan Thomas Ulrich Vincent Werner Albert Bernard Christof Dirk Edgar Florian Gustav Harald
    Isaac Jan Karim Ludwig Marco Nico Omar Philip Quentin Roman Sven Tobias Urban Valentin Wolfgang Alfred Benno
    Clemens Dario Egon Fritz Gregor Hassan Ismael Julian Klaus Lorenz Milan Nils Orlando Pascal Rafael Samuel
    Theodor Uwe Vito Xaver Arthur Basil Casper Dennis Elias Ferdinand Gilbert Herbert Ingo Joel Kilian
    Leonard""".split()
)
_SURNAME_STEMS = """Acker Alm Ander Bach Beck Berg Birk Blom Brand Bruck Dahl Dorn Ebers Eich Falk Feld Fors Gart
    Grun Hag Hart
    Heim Hoff Holm Jans Karl Kell Kling Kron Land Lind Lund Mars Melk Mohr Nord Norr Ober Ost Palm Rein Rid
    Rosen Rund Sand Schon Sell Sonn Stein Strand Sund Tann Thal Ulm Vest Wald Wein Wend West Win Zell""".split()
_SURNAME_ENDS = "er ing man sen strom qvist gren mark hausen bauer blad etti ova ell".split()
SURNAMES = tuple(
    """Novak Okafor Haddad Moreau Rossi Silva Costa Duarte Ferrari Greco Horvat Ivanov Jensen Kowalski Lopez Mendes
    Nagy Olsen Popov Quint Ramos Sato Tanaka Ueda Vargas Walsh Yilmaz Zuber Abbott Baxter Corbett Dalton Ellis
    Farrow Gibson Hale Irving Jarvis Kemp Lowe Mercer Nash Oakes Pryor Quigley Rowe Sharp Tate Underhill Vance
    Wade Yates Archer Barlow Crane Drake Ewing Flint Gale Hobbs Ingram Judd Knox Lyle Marsh Noble Orr Pike Quill
    Reed Stroud Thorne""".split()
) + tuple(a + b for a, b in product(_SURNAME_STEMS, _SURNAME_ENDS))

_TOWN_STEMS = """Alder Ash Barn Beech Birch Black Bram Bright Brook Cald Clay Cold Cran Dale Deep Dun East Elder Elm
    Fair
    Fern Glen Green Hal Harrow Hazel Heather High Holl Kings Lang Lark Lin Long Low Maple Mead Mill Moor Nether
    New Oak Old Over Pen Quarry Raven Red Ridge Rock Rush Salt Shel Silver Stan Stone Summer Swan Thorn Under
    Wake War Water White Wild Willow Winter Wood Wolf Yar""".split()
_TOWN_ENDS = """beck bridge bury by combe cote dale field ford gate ham haven hurst ley mere minster mouth pool port
    stead
    stoke ton wick worth""".split()
TOWNS = tuple(a + b for a, b in product(_TOWN_STEMS, _TOWN_ENDS) if a.lower() != b)

_FIRM_STEMS = """Abri Acro Alva Arbo Belli Brava Caldo Cento Cora Delta Domi Elara Evo Fabri Ferro Gala Grano Helio
    Indo Jura
    Kali Lumi Luno Mara Mero Nava Nimbo Nova Octa Onyx Pala Pico Quanta Rivo Sola Soma Tala Terra Umbra Vala
    Vento Veri Vista Xeno Zeni""".split()
_FIRM_ENDS = "bel con dex dyne gen land lex line mar max mont net nor san sys tek tron vex via wave".split()
_SECTORS = """Foods Motors Energy Textiles Steel Shipping Systems Pharma Optics Paper Dairies Airways Toys Cables
    Ceramics
    Glass Chemicals Logistics Insurance Robotics Timber Tools Mills Rail""".split()
_FIRMS = tuple(a + b for a, b in product(_FIRM_STEMS, _FIRM_ENDS))
_CLUBS = (
    "Rovers United Wanderers Athletic Rangers Albion Harriers Falcons Lions Tigers Wolves Sharks Bears Kestrels".split()
)

_STREET_STEMS = """Abbey Acorn Anchor Apple Baker Barley Beacon Bishop Bridge Canal Castle Cedar Chapel Cherry Church
    Cooper
    Copper Crown Elm Falcon Ferry Fisher Forge Garden George Granary Grove Harbour Hawthorn Heron Hill Jubilee
    Kestrel Lake Lantern Laurel Linden Lion Market Mason Meadow Monk Museum Nelson Nursery Orchard Otter Park
    Pearl Pine Poplar Priory Quay Queen Rose Sawmill School Spring Station Swan Tannery Temple Tower Union Vine
    Walnut Weaver Windmill Yew""".split()
_STREET_KINDS = "Street Road Lane Avenue Square Way".split()
_RIVER_STEMS = """Ald Arn Ber Bran Cal Cor Dar Der El Far Gar Hol Ir Kel Lar Mar Nar Or Pel Rin Sel Tam Tor Ur Var
    Wen Yel Zin""".split()
_RIVERS = tuple(a + b for a, b in product(_RIVER_STEMS, "ra en ow ish sa mel ken dle va ith".split()))
_BIRDS = """Heron Gull Osprey Plover Tern Cormorant Petrel Puffin Curlew Falcon Swift Lark Raven Pelican Sandpiper Skua
    Avocet Dolphin Seal Otter Marlin Sturgeon Trident Compass Lantern Star Comet Voyager Pilgrim Duchess""".split()
_TITLE_ADJECTIVES = """Silent Broken Golden Distant Hidden Northern Winter Crooked Burning Empty Forgotten Gentle
    Hollow Iron Last
    Lonely Midnight Painted Quiet Restless Scarlet Second Shallow Silver Sleeping Slow Southern Stolen Tall
    Unknown Velvet Violet Wandering Wooden Yellow Blue Pale Narrow Patient Early""".split()
_TITLE_NOUNS = """Harbour Orchard Bridge Mirror Garden Island Letter Window River Mountain Summer Staircase
    Lighthouse Clock
    Carnival Shepherd Dancer Forest Village Kingdom Cathedral Harvest Journey Lantern Market Meadow Memory
    Morning Ocean Palace Promise Quarry Railway Season Shadow Stranger Tide Valley Voyage Wall Widow""".split()

# One noun phrase per entry, as it stands in a sentence.
_THINGS: dict[str, str] = {
    "building": """the paper mill, the town hall, the old brewery, the bus depot, the sports hall, the grain store,
        the public
    library, the brick works, the village school, the covered market, the music school, the sugar refinery, the
    boat yard, the cinema, the cheese factory, the post office, the railway museum, the hotel, the furniture
    warehouse, the tile factory, the youth club, the fish market, the dairy, the garden centre, the concert
    hall, the swimming pool, the tannery, the recycling plant, the bowling alley, the chapel, the car park, the
    ice rink, the bakery, the printing house, the clinic, the stables, the courthouse, the hostel, the sawmill,
    the toy shop""",
    "venue": """the town museum, the castle, the city gallery, the art school, the old customs house, the royal mint,
        the
    coin museum, the glass pavilion, the cathedral, the state library, the summer palace, the textile museum,
    the water mill, the harbour museum, the university, the bishop's house, the modern gallery, the county
    archive, the toy museum, the opera house, the old prison, the abbey, the print room, the powder tower""",
    "cause": """a gas leak, a faulty heater, a lightning strike, an unattended candle, an overheated battery, a
        broken lamp,
    a welding torch, a short circuit, a blocked chimney, a discarded cigarette, a frayed cable, an old boiler, a
    careless visitor, a spilt solvent, a tumble dryer, a forgotten iron, a toy rocket, a hot pan, a grill, a
    petrol can, a firework, a bonfire, a phone charger""",
    "fault": """a jammed motor, a broken valve, a worn bearing, a cracked pipe, a failed pump, a loose bolt, a software
    error, a burst hose, a rusty hinge, a blown fuse, a frozen switch, a fallen tree, a nest of mice, a misread
    dial, a drunken guard, a stuck lever, a missing screw, a flat battery, a swarm of bees, a lost key, a hidden
    crack, a power surge, a wrong signal, a torn seal""",
    "wear": """frost, tree roots, heavy lorries, a burst main, salt, a sunken sewer, a landslip, old age, moles, poor
    asphalt, floods, heat, a mine shaft, tram rails, building work, an earthquake""",
    "project": """a library, a swimming pool, a tram line, a concert hall, a bus station, a skate park, a wind farm,
        a solar
    field, a fire station, a retirement home, a nursery, a footbridge, a cycle path, a market hall, a sports
    centre, a science museum, a recycling yard, a water tower, an ice rink, an open-air theatre, an animal
    shelter, a business park, a flood wall, a ring road, a marina, a botanic garden, a youth hostel, a data
    centre, a climbing hall, a cemetery, a planetarium, a health centre""",
    "issue": """pay, pensions, working hours, night shifts, safety rules, holiday pay, staffing, overtime, sick leave,
    training, short contracts, new rosters, unpaid breaks, outsourcing, bonuses, heating, parking fees, weekend
    work, uniforms, age limits""",
    "product": """kettles, pushchairs, bicycle helmets, toasters, car seats, electric blankets, hair dryers, smoke
        alarms,
    baby bottles, frozen pizzas, jars of honey, garden chairs, ladders, lawn mowers, phone chargers, water
    filters, night lights, pressure cookers, scooters, sleeping bags, soup tins, space heaters, step stools,
    tablets, toy trains, treadmills, vacuum cleaners, washing machines, wine glasses, wooden cots, cat feeders,
    bread knives, camping stoves, sun creams, protein bars, hearing aids""",
    "defect": """a loose handle, sharp edges, a weak spring, glass splinters, a wrong label, poor wiring, lead paint, a
    missing screw, a leaking seal, mould, a brittle clip, a sticking switch, metal shavings, an unlisted nut, a
    soft weld, a faulty sensor, an unstable base, a short cord, harmful bacteria, a torn lining""",
    "crime": """fraud, arson, burglary, bribery, forgery, smuggling, blackmail, robbery, embezzlement, perjury, tax
        evasion,
    theft, kidnapping, assault, poaching, piracy, money laundering, vandalism, espionage, extortion""",
    "relic": """a bronze sword, a silver bowl, a stone altar, a clay tablet, a gold ring, an iron helmet, a glass
        goblet, a
    wooden boat, a marble head, a bone flute, an amber necklace, a mosaic floor, a painted tomb, a hoard of
    coins, a copper axe, a jade bead, an ivory comb, a burial mound, a paved road, a well, a chariot wheel, an
    oil lamp, a potter's kiln, a rune stone, a ship's anchor, a temple wall, a leather shoe, a lead seal""",
    "substance": """green tea, walnut oil, olive oil, red cabbage, garlic, oat bran, dark chocolate, seaweed, lentil
        soup, ginger, beetroot juice, turmeric, sourdough bread, almond milk, blueberry juice, black
        coffee, goat's milk, honey, mushroom soup, pumpkin oil, broccoli, rye bread, cod liver oil, fig
        syrup, cinnamon, chickpea flour, kefir, spinach, cherry juice, mint""",
    "benefit": """sleep, memory, balance, eyesight, hearing, digestion, blood pressure, reaction times, muscle strength,
    concentration, joint pain, mood, lung function, bone density, skin, fitness, heart rhythm, migraine""",
    "subject": """mice, students, nurses, retired teachers, sailors, runners, zebrafish, office workers, pilots, rowers,
    miners, farmers, toddlers, drivers, singers, divers, soldiers, shift workers, cyclists, twins""",
    "illness": """measles, food poisoning, mumps, norovirus, whooping cough, influenza, scarlet fever, hepatitis,
        salmonella,
    chickenpox, legionnaires' disease, scabies, tuberculosis, dengue fever, Lyme disease, pneumonia""",
    "animal": """lynx, flamingo, red panda, tapir, python, wallaby, llama, lemur, otter, ostrich, crocodile,
        porcupine, snow
    leopard, pelican, iguana, camel, zebra, meerkat, capybara, owl, condor, wolf, bison, chameleon, tortoise,
    cheetah, vulture, macaque, yak, peacock""",
    "hideout": """a garage, a barn, a school yard, a pond, a garden shed, a bus shelter, a cornfield, a churchyard, a
        laundry
    room, a vineyard, a golf course, a petrol station, a greenhouse, an allotment, an orchard, a playground, a
    bakery cellar, a boat house, an attic, a drainpipe""",
    "job": """lawyer, teacher, engineer, farmer, nurse, architect, baker, judge, surgeon, biologist, carpenter, banker,
    journalist, chemist, pilot, historian, dentist, gardener, librarian, economist, plumber, translator, vet,
    social worker, accountant, electrician, potter, physicist, midwife, clockmaker, optician, brewer, sculptor,
    surveyor, beekeeper, welder""",
    "sport": """marathon, javelin, high jump, pole vault, hammer throw, long jump, shot put, discus, decathlon, hurdles,
    relay, triple jump, steeplechase, backstroke, butterfly, time trial""",
    "genre": """novel, opera, documentary, cookbook, biography, symphony, film, play, essay, song cycle, radio play,
        ballet,
    comic book, thriller, poem, musical""",
    "fee": """parking fee, dog tax, water rate, bus fare, library fee, waste charge, market toll, school meal price,
    property tax, tourist tax, swimming pool ticket, museum fee""",
    "craft": """ferry, freighter, tanker, trawler, cruise ship, barge, research vessel, cargo ship, tugboat, yacht""",
    "group": """hikers, skiers, sailors, climbers, miners, anglers, scouts, canoeists, students, cavers, surfers,
        campers,
    kayakers, tourists, divers, cyclists""",
    "refuge": """a cave, a cliff ledge, a sandbank, a mountain hut, a gorge, a cable car, a flooded quarry, a lift
        shaft, a
    glacier, a lighthouse, a reservoir, an islet, a rubber dinghy, a collapsed tunnel, a ravine, a mudflat""",
    "event": """film festival, jazz festival, book fair, wine fair, street carnival, folk festival, air show, boat show,
    flower show, beer festival, puppet festival, dance week, science fair, cheese market, kite festival, food
    fair, light festival, horse show""",
    "service": """bus, tram, ferry, postal, ambulance, airport, rail, refuse, port, school, hospital, metro""",
    "weekday": "Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday",
}
THINGS = {kind: tuple(" ".join(entry.split()) for entry in text.split(",")) for kind, text in _THINGS.items()}

_ONES = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen""".split()
_TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()


def spell(number: int) -> str:
    """English words of 0 to 99: 42 -> forty-two."""
    if number < 20:
        return _ONES[number]
    tens, ones = divmod(number, 10)
    return _TENS[tens] + (f"-{_ONES[ones]}" if ones else "")


NUMBER_WORDS = {spell(number): number for number in range(100)}


class Zipf:
    """Draws from a list with probability ∝ 1 / (rank + 10) ** 0.8; the ranks are a fixed shuffle of the list."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = list(words)
        random.Random(len(words)).shuffle(self.words)
        self.cumulative = list(accumulate((rank + 10) ** -0.8 for rank in range(len(self.words))))

    def __call__(self, rng: random.Random) -> str:
        return rng.choices(self.words, cum_weights=self.cumulative)[0]


_woman, _man, _surname, _town, _firm = Zipf(WOMEN), Zipf(MEN), Zipf(SURNAMES), Zipf(TOWNS), Zipf(_FIRMS)
_sector, _street, _bird = Zipf(_SECTORS), Zipf(_STREET_STEMS), Zipf(_BIRDS)
_adjective, _noun = Zipf(_TITLE_ADJECTIVES), Zipf(_TITLE_NOUNS)


def _person(rng: random.Random) -> str:
    return f"{(_woman if rng.random() < 0.5 else _man)(rng)} {_surname(rng)}"


DRAW: dict[str, Callable[[random.Random], Value]] = {
    "person": _person,
    "town": _town,
    "org": lambda rng: f"{_firm(rng)} {_sector(rng)}",
    "team": lambda rng: f"{_town(rng)} {rng.choice(_CLUBS)}",
    "street": lambda rng: f"{_street(rng)} {rng.choice(_STREET_KINDS)}",
    "river": Zipf(_RIVERS),
    "title": lambda rng: f"The {_adjective(rng)} {_noun(rng)}",
    "ship": lambda rng: f"{_adjective(rng)} {_bird(rng)}",
    "small": lambda rng: rng.randint(2, 9),
    "count": lambda rng: rng.randint(4, 98),
    "share": lambda rng: rng.randint(51, 84),
    "years": lambda rng: rng.randint(2, 25),
    "hundreds": lambda rng: 10 * rng.randint(11, 98),
    "crowd": lambda rng: 100 * rng.randint(11, 980),
    "past": lambda rng: str(rng.randint(1951, 2015)),  # a name rather than a number: no comma, never in words
    **{kind: Zipf(words) for kind, words in THINGS.items()},
}
