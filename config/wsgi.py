"""The web server's entry point. A web process keeps a pool of database connections; commands do not."""

import gc
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# One connection for each thread that the Procfile gives a web process, unless it is set by hand.
os.environ.setdefault("DATABASE_POOL_SIZE", os.environ.get("WEB_THREADS") or "2")

from django.core.wsgi import get_wsgi_application

from config.bodies import UntoldLength
from config.checks import refuse_too_many_connections

application = UntoldLength(get_wsgi_application())
refuse_too_many_connections()
# What is loaded by now stays to the end: the collector need not go through it again during requests.
gc.collect()
gc.freeze()
