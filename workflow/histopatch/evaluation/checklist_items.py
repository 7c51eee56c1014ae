"""The items of two reporting guidelines, in our own words, and which facts answer them.

TRIPOD+AI: G. S. Collins et al.: TRIPOD+AI statement: updated guidance for reporting clinical prediction
models that use regression or machine learning methods. BMJ 385, 2024, e078378. STARD-AI: V. Sounderajah et
al.: The STARD-AI reporting guideline for diagnostic accuracy studies using artificial intelligence. Nature
Medicine 31, 2025. Numbers are theirs; what an item asks for in full stands there.
"""

from typing import NamedTuple


class Item(NamedTuple):
    """An item: its number, its topic, what it is about, the facts that answer it, and what only authors know.

    about: `data`, `model`, `evaluation`, `code`, or `study` for all else.
    """

    number: str
    topic: str
    about: str
    facts: tuple[str, ...] = ()
    authors: str = ""


TRIPOD_AI = (
    Item("1", "title", "study", authors="title with target population and outcome"),
    Item("2", "abstract", "study", authors="structured abstract"),
    Item("3a", "clinical context and rationale", "study", authors="context, existing models"),
    Item("3b", "target population, purpose, users", "study", authors="intended use and users"),
    Item("3c", "known health inequalities", "study", authors="what is known about them"),
    Item("4", "objectives", "study", authors="objectives"),
    Item(
        "5a",
        "sources of the data",
        "data",
        ("counts", "slides"),
        "where they come from, why, how representative",
    ),
    Item("5b", "dates of the data", "data", authors="first and last date of collection"),
    Item("6a", "setting and centres", "data", authors="setting, number and place of centres"),
    Item("6b", "eligibility", "data", ("excluded",), "criteria for patients and slides"),
    Item("6c", "treatments", "data", authors="treatments, if relevant"),
    Item(
        "7",
        "preparation and quality checks",
        "data",
        ("quality", "giveaways", "label_errors"),
        "differences between groups",
    ),
    Item(
        "8a",
        "definition of the outcome",
        "data",
        authors="what label 1 means, how and when it was determined",
    ),
    Item("8b", "who determined the outcome", "data", authors="annotators and their qualification"),
    Item("8c", "blinding of the outcome", "data", authors="what annotators knew"),
    Item("9a", "choice of predictors", "data", ("input",)),
    Item("9b", "definition of predictors", "data", ("input",), "scanner, stain, magnification"),
    Item("9c", "who measured predictors", "data", authors="whether anybody chose the patches, and how"),
    Item("10", "sample size", "data", ("counts", "sides"), "why this size"),
    Item("11", "missing data", "data", ("rejected",)),
    Item("12a", "use and partition of the data", "evaluation", ("sides", "leakage")),
    Item("12b", "handling of predictors", "model", ("input",)),
    Item(
        "12c",
        "model, tuning, internal validation",
        "model",
        ("architecture", "training", "studies", "choice"),
    ),
    Item("12d", "heterogeneity between clusters, method", "evaluation", ("slides",), "centres, if several"),
    Item("12e", "measures of performance, comparison of models", "evaluation", ("measures", "studies")),
    Item("12f", "model updating", "evaluation", ("updating",)),
    Item("12g", "how predictions were computed", "evaluation", ("networks",)),
    Item("13", "class imbalance", "model", ("balance", "updating")),
    Item("14", "fairness", "evaluation", authors="approaches to fairness and their reasons"),
    Item("15", "output and thresholds", "model", ("architecture", "thresholds"), "why these thresholds"),
    Item("16", "development against evaluation data", "evaluation", ("measured",), "differences in setting"),
    Item("17", "ethical approval", "study", authors="committee and consent"),
    Item("18a", "funding", "study", authors="funding"),
    Item("18b", "conflicts of interest", "study", authors="conflicts of interest"),
    Item("18c", "protocol", "study", authors="where the protocol is"),
    Item("18d", "registration", "study", authors="register and number"),
    Item("18e", "data sharing", "code", authors="where the data are"),
    Item("18f", "code sharing", "code", ("software",), "where the code and configuration are"),
    Item("19", "involvement of patients and public", "study", authors="involvement"),
    Item("20a", "flow of participants", "data", ("counts", "excluded"), "flow of patients"),
    Item("20b", "characteristics", "data", ("sides", "rejected"), "demography, dates"),
    Item("20c", "development and evaluation data compared", "evaluation", ("sides",), "demography"),
    Item("21", "numbers in each analysis", "model", ("sides", "studies")),
    Item("22", "the model itself", "code", ("weights", "architecture"), "restrictions of access and reuse"),
    Item(
        "23a", "performance with intervals", "evaluation", ("performance", "rates"), "subgroups of patients"
    ),
    Item("23b", "heterogeneity of performance", "evaluation", ("heterogeneity",)),
    Item("24", "results of model updating", "evaluation", ("updating",)),
    Item("25", "interpretation", "study", authors="interpretation"),
    Item("26", "limitations", "study", ("note", "leakage"), "limitations and their effect"),
    Item("27a", "poor or missing input in use", "model", ("quality",), "what a user should do with it"),
    Item("27b", "interaction and expertise of users", "study", authors="expertise needed"),
    Item("27c", "next steps", "study", authors="next steps"),
)

STARD_AI = (
    Item("1", "title or abstract names AI and a measure", "study", authors="title and abstract"),
    Item("2", "abstract", "study", authors="structured abstract"),
    Item("3", "background, intended use, workflow", "study", authors="background and intended use"),
    Item("4", "objectives and hypotheses", "study", authors="objectives and hypotheses"),
    Item("5", "prospective or retrospective", "study", authors="when data collection was planned"),
    Item("6", "ethics approval", "study", authors="committee, or why none"),
    Item("7", "eligibility of participants and data", "data", ("excluded",), "criteria for participants"),
    Item("8", "how participants were identified", "data", authors="on what basis"),
    Item("9", "setting, place and dates", "data", authors="setting, place and dates"),
    Item("10", "consecutive, random or convenience series", "data", authors="kind of series"),
    Item("11", "source of the data", "data", ("counts",), "routine, for the study, or public"),
    Item("12", "annotation", "data", authors="annotators, experience, procedure"),
    Item("13", "devices and software", "code", ("software",), "scanners"),
    Item(
        "14",
        "acquisition and preprocessing",
        "data",
        ("input", "quality", "label_errors"),
        "staining, scanning",
    ),
    Item("15a", "index test", "model", ("architecture", "weights")),
    Item("15b", "development of the index test", "model", ("training", "choice", "sides")),
    Item(
        "15c",
        "cut-offs of the index test",
        "model",
        ("thresholds",),
        "which was specified beforehand, and why",
    ),
    Item("15d", "end user", "study", authors="user and expertise"),
    Item("16a", "reference standard", "data", authors="how label 1 was determined"),
    Item("16b", "why this reference standard", "data", authors="rationale"),
    Item("16c", "cut-offs of the reference standard", "data", authors="definition of positive"),
    Item("17a", "what readers of the index test knew", "data", ("input",)),
    Item("17b", "what assessors of the reference knew", "data", authors="blinding of annotators"),
    Item("18", "statistical methods", "evaluation", ("measures", "studies")),
    Item("19", "indeterminate results", "evaluation", authors="whether there are any"),
    Item("20", "missing data", "data", ("rejected",)),
    Item("21", "variability of accuracy", "evaluation", ("heterogeneity",), "what was specified beforehand"),
    Item("22", "sample size", "data", ("counts",), "how it was determined"),
    Item("23", "error analysis, bias and fairness", "evaluation", ("attribution", "giveaways"), "fairness"),
    Item("24", "flow diagram", "data", ("counts", "excluded"), "flow of patients"),
    Item("25", "characteristics of each set", "data", ("sides",), "demography"),
    Item("26a", "severity of disease", "data", authors="distribution of severity"),
    Item("26b", "alternative diagnoses", "data", authors="what negatives have"),
    Item("27", "time between the tests", "data", authors="interval and interventions"),
    Item("28", "representativeness of the test set", "evaluation", ("measured",), "the intended population"),
    Item("29", "external data against development data", "evaluation", authors="external evaluation"),
    Item("30", "cross-tabulation", "evaluation", ("crossed",)),
    Item("31", "accuracy with its precision", "evaluation", ("performance", "rates")),
    Item("32", "adverse events", "study", authors="adverse events"),
    Item("33", "limitations", "study", ("note", "leakage"), "limitations"),
    Item("34", "implications for practice", "study", authors="implications"),
    Item("35", "ethics and fairness in use", "study", authors="considerations"),
    Item("36", "registration", "study", authors="register and number"),
    Item("37", "protocol", "study", authors="where the protocol is"),
    Item("38", "funding", "study", authors="funding"),
    Item("39", "commercial interests", "study", authors="commercial interests"),
    Item("40a", "data and code", "code", ("software",), "where they are, restrictions"),
    Item("40b", "stored, auditable outputs", "code", ("weights",), "how they can be had"),
)

CHECKLISTS = {"tripod_ai": ("TRIPOD+AI (2024)", TRIPOD_AI), "stard_ai": ("STARD-AI (2025)", STARD_AI)}
