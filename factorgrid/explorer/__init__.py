"""Pages that compute models in the browser: all latents of trained models, and the live latent planes of Circles.

Contract: each page is one HTML file that needs nothing else, not even a network; the numbers that a browser computes
are tested against the model in a real one. network.py alone knows what models are made of; the browser's side of it
is network.js. May import: `report` and everything below it.
"""

from factorgrid.explorer.latent_page import explore as explore
from factorgrid.explorer.plane_page import live_planes as live_planes
