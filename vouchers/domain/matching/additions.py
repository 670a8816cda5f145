"""Words that stand beside a name or instead of one: titles, articles, `Baby`, `N/A`."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Left out wherever they stand in front of or behind a name.
TITLES = _words(
    "mr mrs ms miss mx master dr prof professor rev revd reverend sir lady lord dame "
    "fr sister brother cllr councillor capt captain sgt major pastor imam chief "
    "hajji haji hajja hajj alhaji alhaja maulana mullah mst mosammat mosammet musammat "
    "smt shri shrimati sri sardar pan pani pana mme mlle herr frau sra dona bay bayan "
    "hanim esq mbe obe"
)
SENIOR = _words("snr senior sen sr")
JUNIOR = _words("jnr junior jun jr ii iii jnior filho")
#: Words that belong to a name's grammar and are left out or joined at will.
ARTICLES = _words(
    "al el ul ap ab ibn bin bint ben de del della da di do dos das du la le los van "
    "von der den ter ten st y e ud ur us"
)
PREFIXES = _words("mc mac o")
#: Given to most people of a community; they say 'woman' or 'man', not which family.
WEAK = _words(
    "kaur singh begum begam bibi khatun khatoon khatun khanum khanam banu bano sultana "
    "devi kumar kumari bai akhter"
)
#: Of these, a man's; the others are women's.
WEAK_OF_MEN = _words("singh kumar")
#: In front of the name by which somebody is called; shared by half a family.
CALLED_BY_THE_NEXT = _words(
    "mohammed mohammad muhammad muhammed mohamed mohamad muhamed muhamad mohd md "
    "mohamud mohammod syed sayed sayyid sk abdul"
)
#: Between the parts of a name; they carry nothing themselves.
_FILLERS = _words("thi nee aka formerly previously known as now")
#: Servant of: joined to the name of God that follows, whatever the article.
SERVANT = _words("abd abdul abdel abdal abdu abdur abdus abdoul abdool")
_JOINING = ARTICLES | PREFIXES | SERVANT
_GODS_ARTICLES = _words("al el ul ur us ar as")
#: One of these says that nobody knew, or nobody asked.
NOBODY = _words(
    "unknown unk unknwn none null tbc tba tbd anon anonymous occupier occupant tenant "
    "householder resident customer client baby infant newborn unborn refused withheld "
    "xx xxx xxxx na notknown undisclosed unnamed"
)
_NOBODY_PHRASES = frozenset(
    {
        "n a", "not known", "not given", "not provided", "not stated", "no name", "x",
        "to follow", "not disclosed", "not available", "to be confirmed",
    }
)  # fmt: skip
AROUND_NOBODY = _words("the current new boy girl of name first last given surname")


#: Between the names of two people.
AND = "and"
#: Words that ask for a closer look at who is meant.
BESIDE = (
    {AND}
    | TITLES
    | SENIOR
    | JUNIOR
    | NOBODY
    | AROUND_NOBODY
    | _FILLERS
    | {word for phrase in _NOBODY_PHRASES for word in phrase.split()}
)


def is_nobody(words: list[str]) -> bool:
    """Do these words stand instead of a name?"""
    if " ".join(words) in _NOBODY_PHRASES:
        return True
    rest = [word for word in words if word not in AROUND_NOBODY]
    return bool(rest) and all(word in NOBODY for word in rest)


def is_around_nobody(words: list[str]) -> bool:
    """`The` of `The Occupier`: no name by itself."""
    return bool(words) and all(word in AROUND_NOBODY for word in words)


def suffix(words: list[str]) -> str:
    """`s` for Snr, `j` for Jnr, nothing otherwise."""
    if not SENIOR.isdisjoint(words):
        return "s"
    return "" if JUNIOR.isdisjoint(words) else "j"


def without(words: list[str]) -> list[str]:
    """Leave out titles and Snr or Jnr, but never the whole name."""
    rest = [word for word in words if word not in _FILLERS] or list(words)
    while len(rest) > 1 and (rest[0] in TITLES or rest[0] == "sr"):
        rest.pop(0)
    while len(rest) > 1 and (rest[-1] in SENIOR or rest[-1] in JUNIOR):
        rest.pop()
    while len(rest) > 1 and rest[-1] in TITLES:
        rest.pop()
    return rest


def joined(words: list[str]) -> list[str]:
    """Join `mc donald` and `abd al rahman`; drop articles while a name remains."""
    if _JOINING.isdisjoint(words):
        return words
    out: list[str] = []
    prefix = ""
    for n, word in enumerate(words):
        if word in PREFIXES or (word in SERVANT and n + 1 < len(words)):
            prefix += "abdul" if word in SERVANT else word
        elif prefix == "abdul" and word in _GODS_ARTICLES and n + 1 < len(words):
            continue
        else:
            out.append(prefix + word)
            prefix = ""
    if prefix:
        out.append(prefix)
    return [word for word in out if word not in ARTICLES] or out


def bare(word: str) -> str:
    """`rameshbhai` is Ramesh and `jyotiben` Jyoti: brother and sister in Gujarat."""
    if word.endswith("bhai") and len(word) >= 8:
        return word[:-4]
    if word.endswith("ben") and len(word) >= 7 and word[-4] in "aeiou":
        return word[:-3]
    return word
