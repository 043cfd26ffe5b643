"""Static files as they leave the server: named by their content, compressed, and one style sheet."""

import hashlib
import posixpath
import re
from collections.abc import Iterator
from typing import Any

from django.core.files.base import ContentFile
from whitenoise.storage import CompressedManifestStaticFilesStorage

BUNDLE = "css/app.css"
MODULES = "js/"
IMPORT = re.compile(r'@import url\("(?P<url>[^"]+)"\) layer\((?P<layer>\w+)\);')
#: Neither may stand inside a layer; the map belongs to a file that is not fetched.
OUTSIDE = re.compile(r'@charset "[^"]*";|/\*# sourceMappingURL=[^*]*\*/')


class DeliveredStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Collected files that a browser may keep for ever, whatever DEBUG says.

    The style sheet is written as layers that import one another, which the browser would ask for one after the other:
    it leaves as a single file. The sources stay as they are, and `manage.py runserver` serves them.
    """

    #: What names another file: style sheets, and our modules, which import one another. Maps stay at home.
    patterns = (
        ("*.css", (r"""(?P<matched>url\(['"]{0,1}\s*(?P<url>.*?)["']{0,1}\))""",)),
        ("js/*.js", ((r"""(?P<matched>from "(?P<url>\./[^"]+)";)""", """from "%(url)s";"""),)),
    )
    keep_intermediate_files = False
    modules_hash = ""

    def url(self, name: str | None, force: bool = False) -> str:
        """Return the address that holds the fingerprint of the file."""
        address: str = super().url(name, force=True)
        return address

    def file_hash(self, name: str | None, content: Any = None) -> str | None:
        """Return the fingerprint of a file; our modules share one, because they may import one another in a circle."""
        if name and name.startswith(MODULES) and self.modules_hash:
            return self.modules_hash
        fingerprint: str | None = super().file_hash(name, content)
        return fingerprint

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        """Bundle the style sheet, then name and compress every file."""
        if not dry_run and BUNDLE in paths:
            bundle = ContentFile(_bundled(paths).encode())
            self.delete(BUNDLE)
            self._save(BUNDLE, bundle)
            paths = paths | {BUNDLE: (self, BUNDLE)}
            texts = [_read(paths, name) for name in sorted(paths) if name.startswith(MODULES)]
            self.modules_hash = hashlib.sha256("".join(texts).encode()).hexdigest()[:12]
        yield from super().post_process(paths, dry_run=dry_run, **options)


def _bundled(paths: dict[str, Any]) -> str:
    """Return the style sheet with what it imports in the place of the imports, each in its layer."""

    def layer(found: re.Match[str]) -> str:
        name = posixpath.normpath(posixpath.join(posixpath.dirname(BUNDLE), found["url"]))
        return f"@layer {found['layer']} {{\n{OUTSIDE.sub('', _read(paths, name))}\n}}"

    return IMPORT.sub(layer, _read(paths, BUNDLE))


def _read(paths: dict[str, Any], name: str) -> str:
    storage, path = paths[name]
    with storage.open(path) as file:
        text: str = file.read().decode()
    return text
