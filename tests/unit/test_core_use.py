"""What a process has used of a core of late."""

from chassis.core_use import WINDOW_SECONDS, CoreUse


def test_the_share_is_that_of_the_last_whole_window() -> None:
    """Nothing is known at first; a part of a window changes nothing; a pause counts as one window, however long."""
    now = worked = 0.0
    use = CoreUse(lambda: now, lambda: worked)
    assert use.share() == 0

    now, worked = WINDOW_SECONDS, 0.9 * WINDOW_SECONDS
    assert round(use.share(), 6) == 0.9
    now += WINDOW_SECONDS / 2
    assert round(use.share(), 6) == 0.9
    now += 60
    assert use.share() == 0
