"""The shape of codes: what they are made of, and how their end proves the rest."""

from __future__ import annotations

from functools import cache

from schemas.scheme import Alphabet, CheckDigit, Network

#: Letters and digits of which no two look or sound alike on a receipt: no 0, 1, I, O.
SYMBOLS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
DIGITS = "0123456789"
#: Bytes of chance that one code may use up; far more than it needs.
CHANCE_BYTES = 32


def mint(network: Network, chance: bytes) -> str:
    """A new code of a network's pattern, drawn from `chance`, with its check digits."""
    if len(chance) < CHANCE_BYTES:
        raise ValueError("too little chance to make a code from")
    symbols, free = symbols_of(network.alphabet), free_symbols(network)
    # A large number of uniform bits: the remainder favours no symbol noticeably
    # (the excess is below 2^-90).
    number = int.from_bytes(chance, "big") % len(symbols) ** free
    if network.alphabet is Alphabet.DIGITS:
        body = f"{number:0{free}d}"
    else:
        body = "".join(symbols[number >> 5 * place & 31] for place in range(free))
    stem = network.prefix + body
    return stem + check_symbols(stem, network.check, network.alphabet)


def fault(code: str, network: Network) -> str | None:
    """What is wrong with a code of this network: one of our fault codes, or None."""
    symbols = symbols_of(network.alphabet)
    if len(code) != network.code_length:
        return "code_length"
    if any(symbol not in symbols for symbol in code):
        return "code_symbols"
    if not code.startswith(network.prefix):
        return "code_prefix"
    ending = _check_length(network.check)
    stem = code[: len(code) - ending]
    if check_symbols(stem, network.check, network.alphabet) != code[len(stem) :]:
        return "code_check"
    return None


def plain(text: str) -> str:
    """A code as typed, without the blanks and dashes that people put in."""
    return "".join(text.split()).replace("-", "").upper()


def grouped(code: str, size: int = 4) -> str:
    """A code in groups, as it is read aloud."""
    return " ".join(code[n : n + size] for n in range(0, len(code), size))


def symbols_of(alphabet: Alphabet) -> str:
    """The symbols of an alphabet, in the order in which check digits count them."""
    return DIGITS if alphabet is Alphabet.DIGITS else SYMBOLS


def check_symbols(stem: str, check: CheckDigit, alphabet: Alphabet) -> str:
    """What follows `stem` so that a slip of the finger shows."""
    if check is CheckDigit.LUHN:
        return _luhn(stem, symbols_of(alphabet))
    if check is CheckDigit.MOD97:
        return _mod97(stem)
    return ""


def _luhn(stem: str, symbols: str) -> str:
    """Luhn's rule, to base 10 for digits and to base 32 for symbols."""
    base = len(symbols)
    single, double = _values(symbols)
    total = sum(map(single.__getitem__, stem[-2::-2]))
    total += sum(map(double.__getitem__, stem[::-2]))
    return symbols[-total % base]


@cache
def _values(symbols: str) -> tuple[dict[str, int], dict[str, int]]:
    """What each symbol counts: as it is, and doubled with its digits added up."""
    base = len(symbols)
    single = {symbol: value for value, symbol in enumerate(symbols)}
    double = {
        symbol: 2 * value // base + 2 * value % base for symbol, value in single.items()
    }
    return single, double


def _mod97(stem: str) -> str:
    """Two digits as in bank account numbers; letters count from ten on."""
    digits = "".join(str(int(symbol, 36)) for symbol in stem)
    return f"{98 - int(digits + '00') % 97:02d}"


def _check_length(check: CheckDigit) -> int:
    return {CheckDigit.NONE: 0, CheckDigit.LUHN: 1, CheckDigit.MOD97: 2}[check]


def free_symbols(network: Network) -> int:
    """How many symbols of a code are left to chance."""
    return network.code_length - len(network.prefix) - _check_length(network.check)
