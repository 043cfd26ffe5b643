"""When a list is suspected of being wrong, by what its people say. Pure."""

#: So many calls of a list must say it before it says anything, and so large a part of its conversations (percent).
AT_LEAST = 5
PERCENT = 10


def is_suspect(met: int, talks: int) -> bool:
    """Whether `met` calls with the same situation out of `talks` conversations say that the list is wrong."""
    return met >= AT_LEAST and met * 100 >= PERCENT * max(talks, met)
