"""The plan of faults: the same seed gives the same one, and every kind is in it."""

from collections import Counter

from arrears.cli.chaos.plan import KINDS, PROCESSES, Fault, plan, volleys


def test_the_same_seed_gives_the_same_plan_and_another_seed_another() -> None:
    assert plan(7, 50) == plan(7, 50)
    assert plan(7, 50) != plan(8, 50)


def test_a_plan_has_every_kind_once_before_it_repeats_any() -> None:
    found = Counter(fault.kind for fault in plan(3, len(KINDS)))
    assert found == Counter(dict.fromkeys(KINDS, 1))
    assert [fault.number for fault in plan(3, 4)] == [1, 2, 3, 4]


def test_a_short_plan_leaves_out_what_takes_long() -> None:
    kinds = {fault.kind for fault in plan(5, 200, short=True)}
    assert kinds == {kind.name for kind in KINDS.values() if kind.short}


def test_only_the_kinds_asked_for_are_drawn() -> None:
    assert {fault.kind for fault in plan(1, 30, only=["cut", "slow"])} == {"cut", "slow"}


def test_victims_are_processes_or_servers_of_the_run() -> None:
    known = {*PROCESSES, "kafka", "postgresql", "feed"}
    assert {fault.victim for fault in plan(2, 300)} <= known


def test_volleys_hold_every_fault_once_and_no_victim_twice() -> None:
    faults = plan(11, 300)
    found = list(volleys(faults, 3))
    assert sorted(fault.number for volley in found for fault in volley) == list(range(1, 301))
    assert {len(volley) for volley in found} == {3}
    assert len(found) < 150
    for volley in found:
        victims = [fault.victim for fault in volley]
        assert len(set(victims)) == len(victims)


def test_processes_are_started_while_servers_are_hurt() -> None:
    servers = {"kafka", "postgresql"}
    victims = [{fault.victim for fault in volley} for volley in volleys(plan(12, 300), 3)]
    assert sum(bool(one & servers and one & set(PROCESSES)) for one in victims) > 20


def test_one_at_a_time_is_the_plan_itself() -> None:
    faults: list[Fault] = list(plan(13, 20))
    assert [fault for volley in volleys(faults, 1) for fault in volley] == faults
