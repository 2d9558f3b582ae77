from __future__ import annotations

import socket

from recommender.cluster.peers import PeerWatch, answers
from recommender.cluster.tf_config import Member

A, B, C = (Member("worker", index, f"host{index}:1") for index in range(3))


class World:
    """Members that answer, and a clock that others set."""

    def __init__(self, *alive: Member) -> None:
        self.alive = set(alive)
        self.now = 100.0

    def watch(self, needed: list[Member], one_of: list[Member]) -> PeerWatch:
        return PeerWatch(
            needed, one_of, 60.0, 10.0, answers=lambda member: member in self.alive, clock=lambda: self.now
        )


def test_members_may_come_up_late_but_not_too_late() -> None:
    world = World(A)
    watch = world.watch([A, B], [])
    world.now += 60
    assert watch.missing() is None
    world.now += 1
    assert watch.missing() == "worker 1 at host1:1 did not come up within 60 s"


def test_one_that_was_there_is_missed_much_sooner() -> None:
    world = World(A, B)
    watch = world.watch([A, B], [])
    assert watch.missing() is None
    world.alive = {A}
    world.now += 10
    assert watch.missing() is None
    world.now += 10
    assert watch.missing() is None
    world.now += 1
    assert watch.missing() == "worker 1 at host1:1 has not answered for 10 s"
    assert watch.silent() == [B]


def test_one_that_answers_again_in_time_is_not_missed() -> None:
    world = World(A)
    watch = world.watch([A], [])
    watch.missing()
    for alive in (set(), {A}, set()):
        world.alive = alive
        world.now += 8
        assert watch.missing() is None


def test_one_that_answers_is_not_missed_however_long_the_looks_at_others_take() -> None:
    late = [Member("worker", index, f"host{index}:1") for index in range(1, 32)]
    now = [0.0]
    looks_of_a = iter([True, True, False, True])

    def answers(member: Member) -> bool:
        now[0] += 0.0 if member == A else 1.0
        return member == A and next(looks_of_a)

    watch = PeerWatch([A, *late], [], 1000.0, 10.0, answers=answers, clock=lambda: now[0])
    assert [watch.missing() for _ in range(4)] == [None] * 4
    assert now == [4 * 31.0]


def test_of_workers_that_stand_in_for_each_other_one_is_enough() -> None:
    world = World(A, B, C)
    watch = world.watch([A], [B, C])
    watch.missing()
    world.alive = {A, C}
    assert watch.missing() is None
    world.now += 11
    assert watch.missing() is None
    world.alive = {A}
    assert watch.missing() is None
    world.now += 11
    assert watch.missing() == "none of the workers is there: worker 1 at host1:1 has not answered for 10 s"


def test_a_member_answers_while_somebody_listens_at_its_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        member = Member("ps", 0, f"127.0.0.1:{server.getsockname()[1]}")
        assert answers(member)
    assert not answers(member)
