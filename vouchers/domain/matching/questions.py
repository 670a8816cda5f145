"""What a reviewer should find out, where the matcher found a reason for caution."""

from __future__ import annotations

from vouchers.domain.matching.scoring import GUARD_WORDS, Guard

#: Guards as questions that a partner's worker can answer on the telephone.
QUESTIONS: dict[Guard, str] = {
    Guard.TWINS: "Are these twins, or one person under two given names?",
    Guard.GENERATION: "Are these parent and child of one name, or was one year of birth"
    " mistyped?",
    Guard.NO_BIRTH: "What is the birth date? It tells relatives apart.",
    Guard.INITIAL: "For which given name does the initial stand?",
    Guard.SUFFIX: "Senior or Junior: are these father and son?",
    Guard.MANY_EDITS: "Many fields agree only roughly: was one row typed in haste, or"
    " changed on purpose?",
    Guard.MOVED_AND_RENAMED: "Did this person move and change the surname, say by"
    " marriage?",
    Guard.REORDERED: "The names stand in another order: one person, or relatives who"
    " share names?",
    Guard.TRANSPOSED: "Which year of birth is right?",
    Guard.NAMESAKE: "Did this person move, or is it a namesake?",
    Guard.NO_GIVEN: "What is the given name? It tells relatives apart.",
}


def questions(guards: int) -> list[str]:
    """The question of each guard in a set."""
    return [
        QUESTIONS.get(guard, f"{words.rstrip('?').capitalize()}?")
        for guard, words in GUARD_WORDS.items()
        if guards & guard
    ]
