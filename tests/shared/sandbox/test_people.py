"""Contact points of people who do not exist."""

from arrears.shared.sandbox.answers import contact_points

SEED = 7


class TestContactPoints:
    def test_belong_to_nobody_and_are_the_same_each_time(self) -> None:
        points = contact_points(SEED, "tw-client-00400")
        assert points == contact_points(SEED, "tw-client-00400")
        assert "address" in dict(points)
        assert dict(points)["phone"].startswith("+861000")

    def test_a_few_have_no_telephone(self) -> None:
        lacking = sum("phone" not in dict(contact_points(SEED, f"b-{n}")) for n in range(1_000))
        assert 10 < lacking < 60

    def test_any_borrower_id_makes_a_plain_address(self) -> None:
        email = dict(contact_points(SEED, "王 <x>@y\n")).get("email", "@borrowers.example")
        assert email.isascii()
        assert email.count("@") == 1
