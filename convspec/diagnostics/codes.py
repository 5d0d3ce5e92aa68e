"""Every diagnostic code and what it means. A code never changes its meaning; a new message takes a new code."""

from __future__ import annotations

CODES: dict[str, str] = {
    # 001-009 syntax
    "CNN001": "the text is not valid syntax",
    "CNN002": "a literal is malformed",
    "CNN003": "`->` is mixed with an operator without parentheses",
    "CNN004": "the file asks for a language version that is not known",
    "CNN005": "nesting is deeper than the limit",
    "CNN006": "the file is larger than the limit or is not UTF-8 text",
    "CNN007": "a statement stands where it may not",
    # 010-019 files and imports
    "CNN010": "a file cannot be read",
    "CNN011": "an import path leaves the project or is absolute",
    "CNN012": "imports form a cycle",
    "CNN013": "an imported name does not exist in that file",
    "CNN014": "the model to compile is not clear or does not exist",
    # 020-029 names
    "CNN020": "a name is not defined",
    "CNN021": "a layer or block is not known",
    "CNN022": "a parameter is not known",
    "CNN023": "a name is defined twice",
    "CNN024": "blocks, models or functions use each other in a circle",
    "CNN025": "an attribute of a value does not exist",
    "CNN027": "a layer of an installed package cannot be used",
    # 030-039 shapes
    "CNN030": "a tensor has the wrong rank",
    "CNN031": "two sizes must be equal and are not, or not provably",
    "CNN032": "a kernel does not fit into its input",
    "CNN033": "a size that must be a plain number is symbolic",
    "CNN034": "a condition on symbolic sizes cannot be decided for all of them",
    "CNN035": "a size would not be a positive integer",
    "CNN036": "channels do not fit",
    "CNN037": "a dtype does not fit",
    # 040-049 values
    "CNN040": "a value has the wrong type",
    "CNN041": "an argument is missing",
    "CNN042": "too many arguments, or one given twice",
    "CNN043": "arithmetic has no exact result",
    "CNN044": "an index is out of range",
    "CNN045": "a value is out of its range",
    "CNN046": "names and values do not match in number",
    "CNN047": "an enumerated word is not one of those known",
    "CNN048": "a tensor is needed where a value stands, or the other way round",
    # 050-059 labels, inputs, outputs
    "CNN050": "two stages have the same label",
    "CNN051": "a label lies inside another stage",
    "CNN052": "a label is malformed",
    "CNN053": "a shared layer is used with shapes that disagree",
    "CNN054": "two outputs have the same name",
    "CNN055": "a model has no input or no output",
    "CNN056": "an input declaration is not valid",
    "CNN057": "a shared layer cannot be used so",
    # 060-069 limits
    "CNN060": "the network has more layers than the limit",
    "CNN061": "a list is longer than the limit",
    "CNN062": "blocks or functions nest deeper than the limit",
    "CNN063": "the spec takes more steps to expand than the limit",
    "CNN064": "an integer is larger than 64 bits",
    "CNN065": "more files are used than the limit",
    # 070-079 budgets
    "CNN070": "an assertion does not hold",
    "CNN071": "an assertion needs sizes that are symbolic",
    # 090-099 targets
    "CNN090": "a target cannot express this exactly",
    "CNN091": "a target cannot carry this label",
    # 200-219 weights
    "CNN200": "a weights file cannot be read",
    "CNN201": "weights do not fit the spec",
    "CNN202": "an initialiser is not known or not valid",
    "CNN203": "structure alone does not say which tensor is which",
    "CNN204": "a mapping of tensor names is not right",
    "CNN205": "a weight is beyond the range of the precision asked for",
    # 300-329 data and runtimes
    "CNN300": "an input file cannot be read",
    "CNN301": "input data does not fit the declared type",
    "CNN302": "an input is missing or not known",
    "CNN303": "a runtime is not installed",
    "CNN304": "a device is not available",
    "CNN305": "an option does not fit the runtime",
    "CNN306": "a model file cannot be read",
    "CNN307": "a runtime gave up while running the network",
    "CNN308": "a target computes something else than the spec says",
    # 400-409 files written
    "CNN400": "an output cannot be written",
    "CNN401": "an option is not valid",
    "CNN402": "there is nothing of that name to explain",
    "CNN403": "results are there already, or are being made otherwise",
}
