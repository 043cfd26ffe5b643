"""What the frame of every page asks while it is drawn."""

from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.simple_tag(takes_context=True)
def here(context: dict[str, Any], url: str, *also: str) -> SafeString:
    """Return the attribute that marks a link of the navigation when the page shown lies under it.

    `url` and `also` are addresses of the product; "/" is only itself.
    """
    request = context.get("request")
    path = request.path if request else ""
    below = any(path == room or (room != "/" and path.startswith(room)) for room in (url, *also) if room)
    return mark_safe(' aria-current="page"' if below else "")
