"""The endpoints of this service that pages of other origins may ask."""

from shared.paths import REVOCATION, TOKEN, USERINFO

CROSS_ORIGIN = (TOKEN, REVOCATION, USERINFO)
