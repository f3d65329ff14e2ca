"""Print the configuration for the sites and services of `Site`'s defaults."""

import sys

from deploy.nginx.render import Site, render

sys.stdout.write(render(Site()))
