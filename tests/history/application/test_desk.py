"""The questions: stories in words, figures as of a day, digest, waiting for a day."""

import asyncio
from datetime import date
from hashlib import sha256

import pytest
from msgspec.structs import replace

from arrears.history.adapters.memory import MemoryHistory
from arrears.history.adapters.words import load_words
from arrears.history.application import desk as desk_module
from arrears.history.application.desk import Desk, NotClosed, NotFound
from arrears.history.application.hearing import hear
from arrears.history.application.ports import CaseFilter
from arrears.shared.runtime.bus import Record
from arrears.shared.testing.chronicle import Chronicle

BEFORE, DAY, NEXT = date(2024, 2, 29), date(2024, 3, 1), date(2024, 3, 2)
LATER, END_OF_TIME = date(2024, 5, 31), date(2199, 12, 31)
CASE = {"case_id": "c1", "loan_key": "l1"}
OVERDUE = {
    "as_of_on": DAY,
    "days_past_due": 30,
    "due_on": date(2024, 1, 31),
    "overdue_minor": 123456,
    "balance_minor": 200000,
    "currency": "CNY",
    "bucket": "M1",
    "late": False,
    "outdated": False,
}
OPENED = {"opened_on": DAY, "currency": "CNY"}
PROFILE: dict[str, object] = {
    "borrower_id": "b-1",
    "contact_points": [],
    "zone": None,
    "language": None,
}
REPAID = {"loan_key": "l1", "case_id": None, "amount_minor": 500, "currency": "CNY"}


def _chronicle() -> Chronicle:
    chronicle = Chronicle()
    loan, person = "intake.loan-l1", "contact.borrower-b-1"
    other = {**REPAID, "loan_key": "l2", "repayment_id": "r2", "value_on": DAY}
    repaid = {**REPAID, "repayment_id": "r1", "value_on": DAY}
    chronicle.tell(
        "intake.borrower_profile_recorded", PROFILE, stream="intake.borrower-b-1", on=DAY
    )
    chronicle.tell("intake.repayment_recorded", repaid, stream=loan, on=DAY, subject="b-1")
    chronicle.tell("intake.repayment_recorded", other, stream="intake.loan-l2", on=DAY)
    chronicle.tell("intake.loan_overdue_recorded", {**CASE, **OVERDUE}, stream=loan, on=DAY)
    chronicle.tell("intake.case_opened", {**CASE, **OPENED}, stream=loan, on=DAY)
    promise = {**CASE, "promise_id": "p1", "paid_minor": 123456}
    chronicle.tell("contact.promise_kept", promise, stream=person, on=NEXT)
    chronicle.close_day(DAY)
    return chronicle


async def _heard(chronicle: Chronicle) -> MemoryHistory:
    store = MemoryHistory()
    await _hear(store, chronicle)
    return store


async def _hear(store: MemoryHistory, chronicle: Chronicle) -> None:
    for place in await store.places():
        values = chronicle.shelves.get((place.service, place.shard), [])
        records = [Record(offset=i, key=b"", value=v, seq=i + 1) for i, v in enumerate(values)]
        await store.hear([hear(place, records[place.position :])])


async def _desk() -> Desk:
    return Desk(await _heard(_chronicle()), load_words())


class TestStories:
    async def test_a_case_is_told_in_order_with_date_service_what_and_why(self) -> None:
        story = await (await _desk()).case_story("c1", "en", None)
        assert (story.loan_key, story.case_ids) == ("l1", ["c1"])
        assert [(line.on, line.service) for line in story.lines] == [
            (DAY, "intake"),
            (DAY, "intake"),
            (DAY, "intake"),
            (NEXT, "contact"),
        ]
        first, last = story.lines[1], story.lines[-1]
        assert "CNY 1,234.56 overdue" in first.what
        assert first.why == "due on 2024-01-31"
        assert "CNY 1,234.56 paid" in last.what
        assert (first.stream, first.version) == ("intake.loan-l1", 2)

    async def test_the_story_as_of_a_day_is_what_we_knew_then(self) -> None:
        story = await (await _desk()).case_story("c1", "zh", DAY)
        assert [line.service for line in story.lines] == ["intake"] * 3
        assert "逾期 30 天" in story.lines[1].what

    async def test_a_loan_has_its_own_repayments_and_not_another_loans(self) -> None:
        story = await (await _desk()).loan_story("l1", "en", None)
        types = [line.type for line in story.lines]
        assert types.count("arrears.intake.repayment_recorded.v1") == 1
        assert types.count("arrears.intake.borrower_profile_recorded.v1") == 1
        assert len(types) == 5

    async def test_a_loan_without_a_case_has_a_history_too(self) -> None:
        story = await (await _desk()).loan_story("l2", "en", None)
        assert [line.case_id for line in story.lines] == [None, None]

    @pytest.mark.parametrize("name", ["c1", "l1"])
    async def test_what_was_done_with_the_person_is_told_with_whoever_did_it(
        self, name: str
    ) -> None:
        chronicle, effect = Chronicle(), "effect-1"
        chronicle.tell("intake.case_opened", {**CASE, **OPENED}, stream="intake.loan-l1", on=DAY)
        chronicle.tell(
            "contact.attempt_permitted", CASE, stream="contact.borrower-b-1", on=DAY,
            event_id=effect,
        )  # fmt: skip
        for noun, data in (
            ("input_parked", {"origin": "arrears.intake.v1/0/1", "error": "KeyError at x"}),
            ("input_skipped", {"origin": "o", "reason": "told twice", "approved_by": "wang"}),
            ("doubt_settled", {"effect_id": effect, "carried_out": True, "note": "asked them"}),
            ("doubt_settled", {"effect_id": "another", "carried_out": True, "note": "of c2"}),
            ("personal_data_read", {"what": "refused input 3", "purpose": "a complaint"}),
            ("personal_data_erased", {"basis": "request", "approved_by": "wang"}),
        ):
            actor = None if noun == "input_parked" else "li"
            chronicle.tell(f"contact.{noun}", data, stream=f"contact.{noun}", on=NEXT, actor=actor)
        chronicle.tell("contact.input_parked", {"origin": "o", "error": "e"}, borrower="b-2",
                       stream="contact.parked-b-2", on=NEXT)  # fmt: skip
        desk = Desk(await _heard(chronicle), load_words())
        ask = desk.case_story if name == "c1" else desk.loan_story
        story = await ask(name, "en", None)
        said = {line.type.split(".")[2]: line for line in story.lines if line.on == NEXT}
        assert sorted(line.type.split(".")[2] for line in story.lines if line.on == NEXT) == [
            "doubt_settled", "input_parked", "input_skipped",
            "personal_data_erased", "personal_data_read",
        ]  # fmt: skip
        for noun in ("input_skipped", "doubt_settled", "personal_data_read"):
            assert said[noun].what.startswith("li ")
        assert said["doubt_settled"].why == "note: asked them"
        assert (await ask(name, "en", DAY)).lines[-1].on == DAY

    async def test_what_nobody_spoke_of_is_not_found(self) -> None:
        desk = await _desk()
        with pytest.raises(NotFound, match="case c9"):
            await desk.case_story("c9", "en", None)
        with pytest.raises(NotFound, match="loan l9"):
            await desk.loan_story("l9", "en", None)


class TestCases:
    async def test_rows_as_of_a_day_are_folded_from_what_was_known(self) -> None:
        desk = await _desk()
        (now,) = (await desk.cases(CaseFilter(), None)).cases
        (then,) = (await desk.cases(CaseFilter(), DAY)).cases
        assert (now.event_count, then.event_count) == (3, 2)
        assert (await desk.cases(CaseFilter(status="closed"), DAY)).cases == []
        assert (await desk.cases(CaseFilter(), BEFORE)).cases == []

    async def test_a_page_as_of_a_day_looks_at_so_many_cases_and_says_where_to_go_on(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(desk_module, "CASES_AT_ONCE", 2)
        monkeypatch.setattr(desk_module, "LOOKS_MAX", 2)
        chronicle = Chronicle()
        for number in range(9):
            case = {"case_id": f"c{number}", "loan_key": f"l{number}"}
            loan, on = f"intake.loan-l{number}", NEXT if number == 6 else DAY
            chronicle.tell("intake.case_opened", {**case, **OPENED}, stream=loan, on=on)
            if number >= 7:
                chronicle.tell("intake.case_held", {**case, "reason": "x"}, stream=loan, on=on)
        store = await _heard(chronicle)
        monkeypatch.setattr(store, "scan", None)
        desk = Desk(store, load_words())
        wanted, pages = CaseFilter(status="held", limit=1), []
        while True:
            page = await desk.cases(wanted, DAY)
            pages.append([row.case_id for row in page.cases])
            if page.next_after is None:
                break
            wanted = replace(wanted, after=page.next_after)
        assert pages == [[], ["c7"], ["c8"], []]
        every = [row.case_id for row in (await desk.cases(CaseFilter(after="c5"), DAY)).cases]
        assert every == ["c7", "c8"]

    async def test_a_day_that_is_closed_everywhere_is_counted_once(self) -> None:
        chronicle = _chronicle()
        store = await _heard(chronicle)
        desk = Desk(store, load_words())
        open_day, closed = await desk.case_counts(NEXT), await desk.case_counts(DAY)
        at_legal = {**CASE, "stage": "legal", "treatment": "sue"}
        chronicle.tell("intake.case_referred", at_legal, stream="intake.loan-l1", on=NEXT)
        await _hear(store, chronicle)
        assert (await desk.case_counts(NEXT)) != open_day
        store.scan = None  # type: ignore[assignment,method-assign]
        assert await desk.case_counts(DAY) == closed

    async def test_counts_as_of_a_day_are_of_the_cases_as_they_stood(self) -> None:
        chronicle = _chronicle()
        loan, at_legal = "intake.loan-l1", {**CASE, "stage": "legal", "treatment": "sue"}
        chronicle.tell("intake.case_referred", at_legal, stream=loan, on=NEXT)
        chronicle.tell("intake.case_held", {**CASE, "reason": "dispute"}, stream=loan, on=NEXT)
        desk = Desk(await _heard(chronicle), load_words())
        assert await desk.case_counts(NEXT) == await desk.case_counts(None)
        for day, stage, held in ((BEFORE, None, 0), (DAY, "intake", 0), (NEXT, "legal", 1)):
            found = await desk.case_counts(day)
            assert [name for name, count in found.open_by_stage.items() if count] == (
                [] if stage is None else [stage]
            )
            assert found.held == held


class TestDays:
    async def test_as_of_a_day_they_are_those_that_were_closed_by_then(self) -> None:
        chronicle = _chronicle()
        chronicle.close_day(NEXT, services=("intake", "contact"))
        desk = Desk(await _heard(chronicle), load_words())
        assert await desk.days(NEXT) == await desk.days(None)
        for day, everywhere, intake, legal in (
            (BEFORE, None, None, None),
            (DAY, DAY, DAY, DAY),
            (NEXT, DAY, NEXT, DAY),
        ):
            found = await desk.days(day)
            assert found.closed_everywhere == everywhere
            assert (found.services["intake"], found.services["legal"]) == (intake, legal)


class TestFigures:
    async def test_figures_follow_what_is_heard(self) -> None:
        chronicle = _chronicle()
        store = await _heard(chronicle)
        desk = Desk(store, load_words())
        assert (await desk.feed(None)).repayment_facts == 2
        chronicle.tell(
            "intake.repayment_recorded", REPAID, stream="intake.loan-l1", on=NEXT, subject="b-1"
        )
        await _hear(store, chronicle)
        assert (await desk.feed(None)).repayment_facts == 3
        assert (await desk.feed(DAY)).repayment_facts == 2

    @pytest.mark.parametrize(
        ("closed", "asked", "told"),
        [
            (None, None, DAY),
            (None, BEFORE, BEFORE),
            (None, DAY, DAY),
            (None, LATER, DAY),
            (None, END_OF_TIME, DAY),
            (LATER, None, LATER),
            (LATER, NEXT, NEXT),
            (LATER, LATER, LATER),
            (LATER, END_OF_TIME, LATER),
        ],
    )
    async def test_no_month_rolls_past_the_last_day_that_is_known(
        self, closed: date | None, asked: date | None, told: date
    ) -> None:
        chronicle = Chronicle()
        overdue = {**CASE, **OVERDUE}
        chronicle.tell("intake.loan_overdue_recorded", overdue, stream="intake.loan-l1", on=DAY)
        if closed is not None:
            chronicle.close_day(closed)
        page = await Desk(await _heard(chronicle), load_words()).page(asked, None)
        assert page.as_of == told
        months = None if told < DAY else f"{told:%Y-%m}"
        assert page.roll_rates.last_month == page.roll_rates_last_month.last_month == months

    async def test_where_nothing_is_known_the_page_is_of_no_day(self) -> None:
        page = await Desk(MemoryHistory(), load_words()).page(DAY, None)
        assert (page.as_of, page.roll_rates.last_month) == (None, None)

    async def test_the_page_counts_what_the_caller_set_aside(self) -> None:
        page = await (await _desk()).page(DAY, 7)
        assert (page.as_of, page.tomorrow.facts_set_aside) == (DAY, 7)


class TestDigest:
    async def test_it_covers_up_to_the_last_day_closed_everywhere(self) -> None:
        desk = await _desk()
        found = await desk.digest(None)
        assert (found.up_to, found.case_count, found.event_count) == (DAY, 1, 5)
        written = b"".join([chunk async for chunk in await desk.export(None)])
        assert sha256(written).hexdigest() == found.sha256

    async def test_a_borrower_of_whom_staff_skipped_an_input_is_outside_from_that_day_on(
        self,
    ) -> None:
        chronicle = _chronicle()
        skipped = {"origin": "arrears.intake.v1/0/1", "reason": "told twice"}
        place = "contact.parked-b-1"
        chronicle.tell("contact.input_skipped", skipped, stream=place, on=NEXT, actor="li")
        chronicle.close_day(NEXT)
        desk = Desk(await _heard(chronicle), load_words())
        assert (await desk.digest(DAY)).event_count == 5
        assert (await desk.digest(NEXT)).event_count == 0

    async def test_a_day_that_is_not_closed_has_none(self) -> None:
        with pytest.raises(NotClosed):
            await (await _desk()).digest(NEXT)

    async def test_without_a_closed_day_it_is_empty(self) -> None:
        found = await Desk(MemoryHistory(), load_words()).digest(None)
        assert (found.up_to, found.event_count) == (None, 0)


class TestWaiting:
    async def test_a_day_that_is_closed_answers_at_once(self) -> None:
        await (await _desk()).wait_for(DAY, 0)

    async def test_it_returns_when_the_day_is_closed_everywhere(self) -> None:
        chronicle = _chronicle()
        store = await _heard(chronicle)
        waiting = asyncio.create_task(Desk(store, load_words()).wait_for(NEXT, 10))
        await asyncio.sleep(0.01)
        chronicle.close_day(NEXT, services=("intake", "contact", "mediation"))
        await _hear(store, chronicle)
        await asyncio.sleep(0.15)
        assert not waiting.done()
        chronicle.close_day(NEXT, services=("legal",))
        await _hear(store, chronicle)
        await asyncio.wait_for(waiting, 1)

    async def test_it_says_which_service_lags(self) -> None:
        with pytest.raises(NotClosed) as caught:
            await (await _desk()).wait_for(NEXT, 0.05)
        assert caught.value.services["legal"] == DAY
