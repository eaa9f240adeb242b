"""Law 5: asked twice, answered twice, answered by nobody, lost between request and answer."""

from collections.abc import Callable
from typing import Any

import pytest

from arrears.cli.deep.effects import KINDS, Effects, PendingRow
from arrears.cli.deep.findings import Finding, Report
from arrears.cli.deep.reading import read_event

Found = Callable[[Report], dict[int, list[Finding]]]
ATTEMPT = {"attempt_id": "case-1/1", "case_id": "case-1"}


class World:
    """One shard's requests and answers, and its tables."""

    def __init__(self, shelf: Any) -> None:
        self.shelf = shelf
        self.pending: list[PendingRow] = []
        self.waiting: list[str] = []
        self.due: list[str] = []

    def asks(self, noun: str = "attempt_permitted", **changes: Any) -> str:
        row = self.shelf.says(noun, {**ATTEMPT, **changes})
        return str(row.event_id)

    def answers(self, key: str, number: int, noun: str, **changes: Any) -> None:
        origin = f"effect/{key}/{number}"
        self.shelf.says(noun, {**ATTEMPT, **changes}, inputposition=origin)

    def report(self) -> Report:
        report = Report()
        effects = Effects("contact", 0, report)
        for row in self.pending:
            effects.pending(row)
        for origin in self.waiting:
            effects.waits(origin)
        for stream in self.due:
            effects.falls_due(stream)
        for row in self.shelf.rows:
            effects.event(row, read_event(row.value))
        effects.finish()
        return report


@pytest.fixture
def world(blank: Any) -> World:
    return World(blank)


def test_asked_receipted_and_concluded(world: World, found: Found) -> None:
    key = world.asks()
    world.answers(key, 0, "attempt_receipted")
    world.answers(key, 1, "attempt_concluded", outcome="delivered")
    world.answers(key, 1, "treatment_completed")
    report = world.report()
    assert not found(report)
    assert report.laws[5].counts == {"requests": 1, "answers": 2}


def test_an_effect_that_waits_to_be_sent(world: World, found: Found) -> None:
    world.pending.append(PendingRow(world.asks(), 0, in_doubt=False))
    report = world.report()
    assert not found(report)
    assert report.laws[5].counts["not sent yet"] == 1


def test_an_effect_in_doubt_is_counted_and_named(world: World, found: Found) -> None:
    key = world.asks()
    world.pending.append(PendingRow(key, 0, in_doubt=True))
    report = world.report()
    assert not found(report)
    assert report.laws[5].counts["in doubt"] == 1
    assert key in report.laws[5].remarks[0]


def test_staff_settled_a_doubt(world: World, found: Found) -> None:
    """Carried out: no answer is missing. Not carried out: it must be on its way again."""
    sent, again, lost = (
        world.asks("borrower_invited", round=number, case_id="case-1") for number in (1, 2, 3)
    )
    world.shelf.says("doubt_settled", {"effect_id": sent, "carried_out": True})
    world.shelf.says("doubt_settled", {"effect_id": again, "carried_out": False})
    world.shelf.says("doubt_settled", {"effect_id": lost, "carried_out": False})
    world.pending.append(PendingRow(again, 0, in_doubt=False))
    report = world.report()
    [one] = found(report)[5]
    assert lost in one.text
    assert report.laws[5].counts["settled by staff"] == 3


@pytest.mark.parametrize("handled", [(), (0,)])
def test_answers_that_wait_in_the_agenda(
    world: World, found: Found, handled: tuple[int, ...]
) -> None:
    key = world.asks()
    if handled:
        world.answers(key, 0, "attempt_receipted")
    world.waiting += [f"effect/{key}/{number}" for number in (0, 1) if number not in handled]
    report = world.report()
    assert not found(report)
    assert report.laws[5].counts["answered and not handled yet"] == 1


@pytest.mark.parametrize("is_due", [True, False])
def test_a_signature_may_stay_out_until_a_timer_ends_the_offer(
    world: World, found: Found, *, is_due: bool
) -> None:
    offer = {"case_id": "case-1", "round": 1, "offer": 1}
    key = world.asks("agreement_proposed", **offer)
    world.answers(key, 0, "bank_signed", **offer)
    world.due = [world.shelf.rows[0].stream] if is_due else []
    named = found(world.report())
    assert bool(named) is not is_due
    if not is_due:
        assert "borrower_signed never came" in named[5][0].text


def test_nobody_was_reached_and_nothing_left(world: World, found: Found) -> None:
    """Without a receipt, but the outcome says that it reached nobody."""
    key = world.asks()
    world.answers(key, 0, "attempt_concluded", outcome="returned")
    assert not found(world.report())


def test_the_outside_never_answered_and_the_attempt_was_given_up(
    world: World, found: Found
) -> None:
    world.asks()
    world.shelf.says("attempt_concluded", {**ATTEMPT, "outcome": "unknown"})
    report = world.report()
    assert not found(report)
    assert report.laws[5].counts["given up without an answer"] == 1


def test_a_permit_withdrawn_before_sending_may_be_given_again(world: World, found: Found) -> None:
    key = world.asks()
    world.answers(key, 0, "attempt_withdrawn")
    again = world.asks()
    world.answers(again, 0, "attempt_receipted")
    world.answers(again, 1, "attempt_concluded", outcome="delivered")
    report = world.report()
    assert not found(report)
    assert report.laws[5].counts["withdrawn before sending"] == 1


def test_a_withdrawn_permit_that_was_carried_out(world: World, found: Found) -> None:
    key = world.asks()
    world.answers(key, 0, "attempt_withdrawn")
    world.answers(key, 1, "attempt_receipted")
    assert "it was withdrawn" in found(world.report())[5][0].text


def test_an_invitation_withdrawn_before_sending_may_be_made_again(
    world: World, found: Found
) -> None:
    talks = {"case_id": "case-1", "round": 1}
    world.answers(world.asks("borrower_invited", **talks), 0, "invitation_withdrawn", **talks)
    again = world.asks("borrower_invited", **talks)
    world.answers(again, 0, "invitation_receipted", **talks)
    world.answers(again, 1, "invitation_answered", **talks)
    assert not found(world.report())


@pytest.mark.parametrize("noun", ["claim_filed", "enforcement_applied"])
@pytest.mark.parametrize("end", ["claim_closed", "claim_ended"])
def test_a_claim_that_ended_needs_no_answer_any_more_and_may_be_filed_again(
    world: World, found: Found, noun: str, end: str
) -> None:
    """Settled, dismissed by the court, not accepted; then filed anew, or of another debt."""
    world.asks(noun)
    assert 5 in found(world.report())
    world.shelf.says(end, ATTEMPT)
    assert not found(world.report())
    world.pending.append(PendingRow(world.asks(noun), 0, in_doubt=False))
    assert not found(world.report())
    world.asks(noun)
    assert "asked for a second time" in found(world.report())[5][0].text


@pytest.mark.parametrize(
    ("noun", "withheld"),
    [("claim_filed", "filing_withheld"), ("enforcement_applied", "enforcement_withheld")],
)
def test_what_the_court_was_not_asked_for_needs_no_answer_and_may_be_asked_for_again(
    world: World, found: Found, noun: str, withheld: str
) -> None:
    world.answers(world.asks(noun), 0, withheld)
    assert not found(world.report())
    world.pending.append(PendingRow(world.asks(noun), 0, in_doubt=False))
    report = world.report()
    assert not found(report)
    assert report.laws[5].counts["withdrawn before sending"] == 1


def test_a_judgment_that_a_lawyer_is_to_enter_is_no_answer_that_never_came(
    world: World, found: Found
) -> None:
    key = world.asks("claim_filed")
    world.answers(key, 0, "claim_registered")
    world.answers(key, 1, "judgment_not_entered")
    assert not found(world.report())
    world.shelf.says("judgment_entered", ATTEMPT)
    assert not found(world.report())


# --- Damage


def test_an_effect_asked_for_twice(world: World, found: Found) -> None:
    first = world.asks()
    world.answers(first, 0, "attempt_receipted")
    world.answers(first, 1, "attempt_concluded", outcome="delivered")
    second = world.asks()
    world.pending.append(PendingRow(second, 0, in_doubt=False))
    (double,) = found(world.report())[5]
    assert (double.place.seq, double.place.stream) == (4, "contact.borrower-1")
    assert "asked for a second time" in double.text


def test_one_key_with_two_contents(world: World, found: Found) -> None:
    key = world.asks()
    world.shelf.says(
        "attempt_permitted", {"attempt_id": "case-1/2"}, id=key, stream="contact.borrower-2"
    )
    world.pending.append(PendingRow(key, 0, in_doubt=False))
    (double,) = found(world.report())[5]
    assert double.place.seq == 2
    assert f"its key {key} is also that of" in double.text


def test_an_answer_recorded_twice(world: World, found: Found) -> None:
    key = world.asks()
    world.answers(key, 0, "attempt_receipted", receipt_id="r-1")
    world.answers(key, 0, "attempt_receipted", receipt_id="r-2")
    world.answers(key, 1, "attempt_concluded", outcome="delivered")
    texts = [finding.text for finding in found(world.report())[5]]
    assert any("answer 0" in text and "a second time" in text for text in texts)
    assert any("attempt_receipted is said a second time" in text for text in texts)


def test_an_answer_that_is_recorded_and_still_waits(world: World, found: Found) -> None:
    key = world.asks()
    world.answers(key, 0, "attempt_receipted")
    world.waiting += [f"effect/{key}/0", f"effect/{key}/1"]
    assert "waits to be recorded as well" in found(world.report())[5][0].text


def test_an_answered_effect_that_would_go_out_again(world: World, found: Found) -> None:
    key = world.asks()
    world.answers(key, 0, "attempt_receipted")
    world.answers(key, 1, "attempt_concluded", outcome="delivered")
    world.pending.append(PendingRow(key, 0, in_doubt=False))
    assert "it would go out again" in found(world.report())[5][0].text


@pytest.mark.parametrize("noun", sorted(KINDS))
def test_a_request_that_was_lost(world: World, found: Found, noun: str) -> None:
    """No answer, no row of the agenda, no pending effect: nobody will ever come back to it."""
    key = world.asks(noun)
    (lost,) = found(world.report())[5]
    assert lost.place.seq == 1
    assert key in lost.text
    assert "never came" in lost.text


def test_a_lost_outcome(world: World, found: Found) -> None:
    key = world.asks()
    world.answers(key, 0, "attempt_receipted")
    assert "attempt_concluded never came" in found(world.report())[5][0].text


@pytest.mark.parametrize(("origin", "is_lost"), [("effect/{}/1", False), ("feed/0/3", True)])
def test_an_outcome_that_was_parked_and_left_out_by_staff_is_not_lost(
    world: World, found: Found, origin: str, *, is_lost: bool
) -> None:
    key = world.asks()
    world.answers(key, 0, "attempt_receipted")
    skipped = {"origin": origin.format(key), "reason": "told twice", "approved_by": "wang"}
    world.shelf.says("input_skipped", skipped)
    assert (5 in found(world.report())) is is_lost


def test_a_contact_without_a_receipt(world: World, found: Found) -> None:
    key = world.asks()
    world.answers(key, 1, "attempt_concluded", outcome="answered")
    assert "attempt_receipted never came" in found(world.report())[5][0].text


def test_an_answer_that_nobody_asked_for(world: World, found: Found) -> None:
    world.answers("no-such-key", 0, "attempt_receipted")
    texts = [finding.text for finding in found(world.report())[5]]
    assert "it answers no-such-key, which nobody has asked" in texts
    assert "attempt_receipted answers what nobody has asked for" in texts


def test_a_pending_effect_without_its_event(world: World, found: Found) -> None:
    world.pending.append(PendingRow("no-such-key", 0, in_doubt=False))
    (orphan,) = found(world.report())[5]
    assert orphan.place.where == "effects"
    assert "no event asks for it" in orphan.text
